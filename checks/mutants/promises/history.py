"""Old pictures come by Discord's search first, and the history vouches for all."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SEARCHING = "tests/bot/sync/test_searching.py"
FRONTS = "tests/bot/sync/test_history_search.py"
BACKLOG = "tests/bot/sync/test_backlog.py"

MUTANTS = (
    Mutant(
        "old pictures come by search before the history is read",
        "bot/sync/turns.py",
        "            return None if search.busy else search\n",
        "            return next(iter(waiting)) if search.busy else search\n",
        (f"{BACKLOG}::test_old_messages_wait_for_the_search_and_other_servers_do_not",),
    ),
    Mutant(
        "what was missed is read before the search goes on",
        "bot/sync/turns.py",
        "        if behind is not None:\n            return behind\n",
        "",
        (f"{BACKLOG}::test_what_was_missed_is_read_before_the_search_goes_on",),
    ),
    Mutant(
        "what the search brings is history",
        "bot/sync/searching.py",
        "written = await self._writer.commit(items)",
        "written = await self._writer.commit(items, new=True)",
        (f"{SEARCHING}::test_what_search_brings_is_history_that_watches_tell_nobody_of",),
    ),
    Mutant(
        "the search keeps nothing of channels that are not watched",
        "bot/sync/searching.py",
        "        covered = self._watched.covers(place)\n        return covered and",
        "        return",
        (f"{SEARCHING}::test_search_keeps_nothing_of_channels_that_are_not_watched",),
    ),
    Mutant(
        "few channels of many are named in the search",
        "bot/sync/turns.py",
        "whole=len(tops) >= MOST_CHANNELS * len(readable)",
        "whole=True",
        (f"{SEARCHING}::test_few_channels_of_many_are_named_in_the_search",),
    ),
    Mutant(
        "age-restricted channels are searched",
        "bot/platform/listings.py",
        '("include_nsfw", "true")',
        '("include_nsfw", "false")',
        (f"{SEARCHING}::test_search_finds_all_and_moves_no_cursor",),
    ),
    Mutant(
        "status counts what a search found of channels that its reader may read",
        "bot/sync/history_search.py",
        "for group, count in self.found.items() if group in groups)",
        "for group, count in self.found.items())",
        (f"{SEARCHING}::test_status_tells_of_both_passes_and_counts_what_its_reader_may_read",),
    ),
    Mutant(
        "a refused search is not asked again",
        "bot/sync/searching.py",
        'self._end(search, "search_refused", error, refused=True)',
        'self._end(search, "search_refused", error)',
        (f"{SEARCHING}::test_a_refused_search_is_not_asked_again_and_the_log_says_what_happens",),
    ),
    Mutant(
        "history goes on while the search is not ready",
        "bot/sync/searching.py",
        "        search.resting = True\n",
        "",
        (f"{SEARCHING}::test_history_goes_on_while_the_search_is_not_ready",),
    ),
    Mutant(
        "a search ends though Discord says that there is more",
        "bot/sync/history_search.py",
        "self.skipped >= min(total, EMPTY_PAGES * PAGE)",
        "self.skipped >= total",
        (f"{FRONTS}::test_empty_pages_end_a_search_whatever_the_total_says",),
    ),
    Mutant(
        "an empty page is not the end while there is more",
        "bot/sync/history_search.py",
        "self.skipped >= min(total, EMPTY_PAGES * PAGE)",
        "True",
        (f"{FRONTS}::test_an_empty_page_is_skipped_while_there_is_more",),
    ),
    Mutant(
        "the newest pictures are searched first",
        "bot/sync/history_search.py",
        "return max((one for one in self.fronts",
        "return min((one for one in self.fronts",
        (f"{FRONTS}::test_the_newest_front_comes_first",),
    ),
    Mutant(
        "the greeting says that the search goes first",
        "bot/sync/progress.py",
        "searching=search is not None and search.is_for_any_of(groups),",
        "searching=False,",
        (f"{SEARCHING}::test_who_sets_a_server_up_finds_old_pictures_before_the_history_is_read",),
    ),
)
