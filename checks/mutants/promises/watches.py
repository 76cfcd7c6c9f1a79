"""A watch tells its owner of what fits and they can read, once, and of nothing else."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

NOTICES = "tests/bot/watches/test_notices.py"
COMMANDS = "tests/bot/watches/test_commands.py"
UNDELIVERABLE = "tests/bot/watches/test_undeliverable.py"
CHOICES = "tests/bot/watches/test_choices.py"
PRIVACY = "tests/bot/watches/test_privacy.py"
WORDS = "tests/bot/watches/test_words.py"
SCREENING = "tests/index/watches/test_screening.py"

MUTANTS = (
    Mutant(
        "a notice tells only of channels that the member can read",
        "bot/watches/judge.py",
        "        if not open_:\n            return False\n",
        "",
        (f"{NOTICES}::test_everybody_is_told_of_what_they_can_read_and_of_nothing_else",),
    ),
    Mutant(
        "a notice in a channel tells only what everybody there may read",
        "bot/watches/judge.py",
        "            public=place is not None,\n",
        "            public=False,\n",
        (f"{NOTICES}::test_in_a_channel_only_what_everybody_there_may_read_is_told",),
    ),
    Mutant(
        "no one is told of their own picture",
        "bot/watches/judge.py",
        "                if watch.owner != judging.link.owner and await",
        "                if await",
        (f"{NOTICES}::test_no_one_is_told_of_their_own_picture",),
    ),
    Mutant(
        "copies that wait are told once",
        "bot/watches/deliveries.py",
        "            if beside or await",
        "            if await",
        (f"{NOTICES}::test_copies_that_wait_are_told_once_whatever_is_deleted",),
    ),
    Mutant(
        "a copy that waits keeps none from being told",
        "index/store/sqlite/watches.py",
        "WHERE watch = ? AND sending != ''\n            AND link IN",
        "WHERE watch = ?\n            AND link IN",
        (f"{NOTICES}::test_copies_that_wait_are_told_once_whatever_is_deleted",),
    ),
    Mutant(
        "history tells nobody",
        "bot/sync/backfill.py",
        "        committed = await self._writer.commit(items, [move], new=new)",
        "        committed = await self._writer.commit(items, [move], new=True)",
        (f"{NOTICES}::test_history_tells_nobody",),
    ),
    Mutant(
        "what was posted while the bot was away is told",
        "bot/sync/backfill.py",
        "Move(coverage, newest=end), new=True)",
        "Move(coverage, newest=end))",
        (f"{UNDELIVERABLE}::test_what_was_posted_while_the_bot_was_away_is_told",),
    ),
    Mutant(
        "what a watch is limited to is not told in a channel",
        "bot/text/watches.py",
        '    limits = "" if public else line_text',
        "    limits = line_text",
        (f"{NOTICES}::test_words_that_were_asked_for_are_not_told_of_channels",),
    ),
    Mutant(
        "a notice is named before it is sent",
        "bot/watches/deliveries.py",
        '                if any(id.endswith(f":{name}")',
        '                if any(id.endswith(":none")',
        (f"{UNDELIVERABLE}::test_a_notice_on_its_way_at_a_kill_is_sent_once",),
    ),
    Mutant(
        "a day has so many messages",
        "bot/watches/deliveries.py",
        "        if len(sent) >= most:\n",
        "        if False:\n",
        (f"{UNDELIVERABLE}::test_a_day_has_so_many_messages_and_the_last_one_says_so",),
    ),
    Mutant(
        "in quiet hours nothing is sent that was due before",
        "bot/watches/deliveries.py",
        "        if (later := choices.after_quiet(now)) > now:",
        "        if (later := now) > now:",
        (f"{UNDELIVERABLE}::test_in_quiet_hours_a_notice_waits_though_it_was_due",),
    ),
    Mutant(
        "quiet hours end on the clock of the time zone",
        "bot/watches/choices.py",
        "        ends = datetime.combine(day, time(end // 60, end % 60), here.tzinfo)",
        "        ends = datetime.combine(day, time(end // 60, end % 60), UTC)",
        (CHOICES,),
    ),
    Mutant(
        "a watch that can't be told stops",
        "bot/watches/deliveries.py",
        "        await self._writer.pause_watch(watch.id, reason)\n",
        "",
        (f"{UNDELIVERABLE}::test_who_takes_no_direct_messages_is_told_in_the_list",),
    ),
    Mutant(
        "a member has so many watches",
        "bot/watches/watches.py",
        "        if len(mine) >= self._limits.watches_of_member:",
        "        if False:",
        (f"{COMMANDS}::test_a_member_and_a_server_have_so_many_and_are_told",),
    ),
    Mutant(
        "only one's own watches are changed",
        "bot/watches/watches.py",
        "        if watch is None or (watch.space, watch.owner) != (space, owner):",
        "        if watch is None:",
        (f"{COMMANDS}::test_only_ones_own_watches_are_offered_and_changed",),
    ),
    Mutant(
        "erasing what is kept about a member erases their watches",
        "index/store/sqlite/writes.py",
        '            for table in ("searches", "watches"):',
        '            for table in ("searches",):',
        (f"{PRIVACY}::test_erasing_ends_all_watches_and_what_waits_is_not_told",),
    ),
    Mutant(
        "words are judged when they were read",
        "index/store/sqlite/transcripts.py",
        "            await words_were_read(db, item)\n",
        "",
        (f"{WORDS}::test_exact_words_are_told_of_when_they_were_read_and_once",),
    ),
    Mutant(
        "what a watch doesn't want brings no notice",
        "index/watches/judging.py",
        "            frame @ part > spread.mean + MOST_UNWANTED * spread.deviation",
        "            False",
        (f"{SCREENING}::test_a_picture_that_shows_what_is_unwanted_fits_no_watch",),
    ),
    Mutant(
        "of a few pictures none stands out for a watch",
        "index/watches/judging.py",
        "        if len(sample) < FEWEST_TO_JUDGE:",
        "        if False:",
        (f"{SCREENING}::test_of_a_few_pictures_none_stands_out",),
    ),
    Mutant(
        "a pass over all watches finds what each would find",
        "index/watches/screening.py",
        "            odds[parts] = np.maximum(odds[parts], again)\n",
        "",
        (f"{SCREENING}::test_the_odds_of_all_watches_are_those_that_an_answer_finds",),
    ),
)
