"""Deleted is gone: messages, threads, channels, servers, edits."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

CHANGES = "tests/bot/sync/test_changes.py"
WRITER = "tests/bot/sync/test_writer.py"
ANSWERS = "tests/bot/ask/test_answers.py"
PRIVACY = "tests/bot/commands/test_privacy.py"
CHANNELS = "tests/bot/commands/test_channels.py"
CLOSED = "tests/bot/maintenance/test_closed.py"

MUTANTS = (
    Mutant(
        "a deleted message is erased at once",
        "bot/app.py",
        "await self.live.on_delete(deletion.guild_id, [deletion.message_id])",
        "pass",
        (f"{CHANGES}::test_deleted_message_leaves_nothing",),
    ),
    Mutant(
        "messages deleted together are erased at once",
        "bot/app.py",
        "await self.live.on_delete(deletion.guild_id, sorted(deletion.message_ids))",
        "pass",
        (f"{CHANGES}::test_bulk_deletion_leaves_nothing",),
    ),
    Mutant(
        "a deleted thread is erased at once",
        "bot/app.py",
        "await self.catch_up.on_thread_deleted(deletion.guild_id, deletion.thread_id)",
        "pass",
        (f"{CHANGES}::test_deleted_thread_is_erased",),
    ),
    Mutant(
        "a deleted channel is erased at once",
        "bot/app.py",
        "await self.catch_up.on_channel_deleted(channel)",
        "pass",
        (f"{CHANGES}::test_deleted_channel_is_erased_with_its_threads",),
    ),
    Mutant(
        "a picture that an edit takes off is erased at once",
        "bot/sync/live.py",
        "        await self._ingest.drop(space, message.id, shown)\n",
        "",
        (f"{CHANGES}::test_attachment_taken_off_by_an_edit_is_dropped",),
    ),
    Mutant(
        "a picture that is deleted while it is embedded stays out",
        "bot/sync/writer.py",
        "        if as_of < erased or message in self._deleted:",
        "        if as_of < erased:",
        (f"{WRITER}::test_deleted_message_is_left_out_of_a_later_commit",),
    ),
    Mutant(
        "a channel that is no longer watched is erased",
        "bot/commands/channels.py",
        "            await self._erasure.erase_group(channel.guild.id, place.id)\n",
        "            pass\n",
        (f"{CHANNELS}::test_removed_channel_is_erased_and_counted",),
    ),
    Mutant(
        "a channel that was deleted while Magpie was offline is erased",
        "bot/sync/catch_up.py",
        "                unwatched = await self._is_deleted(top)",
        "                unwatched = False",
        (f"{CHANGES}::test_channel_deleted_while_offline_is_erased",),
    ),
    Mutant(
        "a server that Magpie left is erased after a week",
        "bot/maintenance/departures.py",
        "                await self._jobs.erase_guild(space)",
        "                pass",
        (f"{CHANGES}::test_leaving_the_server_erases_everything_after_a_grace_period",),
    ),
    Mutant(
        "an outage of Discord erases nothing",
        "bot/maintenance/closed.py",
        "        return None if guild is None or guild.unavailable else guild",
        "        return guild",
        (f"{CLOSED}::test_outage_closes_nothing_and_erases_nothing",),
    ),
    Mutant(
        "a channel that was closed for a week is erased",
        "bot/maintenance/closed.py",
        "            elif due and self._guild(guild.id) is not None:",
        "            elif False:",
        (f"{CLOSED}::test_channel_closed_for_a_week_is_erased_and_read_again_once_it_is_open",),
    ),
    Mutant(
        "a channel that was closed for a short while is kept",
        "bot/maintenance/closed.py",
        "        due = since is not None and since <= time.time() - self._clocks.grace_s",
        "        due = since is not None",
        (CLOSED,),
    ),
    Mutant(
        "a deletion that nobody announced is found by the slow listing",
        "bot/sync/history.py",
        "        removed = await self._writer.erase_messages(space, deleted) if deleted else 0",
        "        removed = 0",
        (f"{PRIVACY}::test_a_deletion_without_an_event_is_found",),
    ),
    Mutant(
        "an answer looks whether its pictures are still there",
        "bot/ask/results.py",
        "            if error.code == UNKNOWN_MESSAGE:",
        "            if False:",
        (f"{ANSWERS}::test_a_deletion_without_an_event_is_noticed_when_somebody_asks",),
    ),
    Mutant(
        "a removed channel stays out of a resumed reindex",
        "bot/reindex/rereading.py",
        "            if not self._watched.covers(place):",
        "            if False:",
        ("tests/bot/reindex/test_jobs.py",),
    ),
    Mutant(
        "an edit in flight decides which pictures count",
        "bot/sync/writer.py",
        "return seen is None or link.slot in seen.slots",
        "return True",
        (
            "tests/bot/sync/test_erasing_in_flight.py",
            "tests/bot/sync/test_writer.py",
        ),
    ),
    Mutant(
        "a picture that its author erases meanwhile leaves the answer",
        "bot/ask/results.py",
        "        if self._left_out.covers(link.space, link.owner, link.posted_at):",
        "        if False:",
        ("tests/bot/ask/test_last_look.py",),
    ),
    Mutant(
        "a server that came back meanwhile does not count as left",
        "bot/maintenance/departures.py",
        "        if guild_id not in self._departed:",
        "        if False:",
        (f"{CHANGES}::test_server_that_comes_back_while_the_file_is_busy_does_not_count_as_left",),
    ),
)
