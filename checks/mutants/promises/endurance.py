"""Nothing is lost, and nothing holds up the rest."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

WRITER = "tests/bot/sync/test_writer.py"
SEGMENT = "tests/index/search/test_segment.py"
SWITCH = "tests/bot/reindex/test_model_switch.py"

MUTANTS = (
    Mutant(
        "a segment of the largest size is merged with no other",
        "index/search/compaction.py",
        "    growing = sorted((part for part in parts if len(part) < largest), key=len)\n",
        "    growing = sorted(parts, key=len)\n",
        (f"{SEGMENT}::test_segments_of_the_largest_size_are_left_as_they_are",),
    ),
    Mutant(
        "a compaction takes no rows in memory out",
        "index/search/rows.py",
        "            if compaction.newest:\n",
        "            if True:\n",
        (f"{SEGMENT}::test_rows_settle_while_segments_become_one",),
    ),
    Mutant(
        "what a compaction makes at the same time is no stray file",
        "index/search/rows.py",
        "            names |= {compaction.path.name for compaction in self._running}\n",
        "",
        (f"{SEGMENT}::test_rows_settle_while_segments_become_one",),
    ),
    Mutant(
        "a segment without rows does not end what settles rows",
        "index/search/compaction.py",
        "        if not len(links):\n            return None\n",
        "",
        (f"{SEGMENT}::test_segment_of_which_no_row_is_left_goes",),
    ),
    Mutant(
        "a stop during the start ends quietly",
        "bot/__main__.py",
        "isinstance(ended, Exception) and not stopped",
        "isinstance(ended, Exception)",
        ("tests/bot/test_operation.py::test_stop_while_a_request_of_the_start_waits_ends_quietly",),
    ),
    Mutant(
        "the cursor stays before a picture that is on its way",
        "bot/sync/live.py",
        "            coverage.take(message.id)\n",
        "",
        (
            "tests/bot/sync/test_live.py"
            "::test_picture_on_its_way_at_a_stop_is_indexed_after_the_start",
        ),
    ),
    Mutant(
        "a full queue loses no picture",
        "bot/sync/live.py",
        "            backlog.enqueue_missed(channel)\n            return\n",
        "            return\n",
        ("tests/bot/sync/test_live.py::test_full_queue_loses_nothing_and_stays_within_its_limit",),
    ),
    Mutant(
        "a file that fails for a while is read again",
        "bot/sync/live.py",
        "            self._backlog.read_from(post.space, post.group.id, post.message)\n",
        "",
        ("tests/bot/sync/test_live.py::test_cdn_that_fails_for_longer_loses_no_picture",),
    ),
    Mutant(
        "a full disk is waited for",
        "bot/sync/writer.py",
        "                if not patient:\n                    raise\n",
        "                raise\n",
        (f"{WRITER}::test_full_disk_is_waited_for_and_nothing_is_skipped",),
    ),
    Mutant(
        "a reindex goes on after a restart",
        "bot/app.py",
        "        await self.jobs.resume()",
        "        pass",
        ("tests/bot/test_operation.py::test_reindex_continues_where_it_stood_after_a_kill",),
    ),
    Mutant(
        "one server holds up no change of models",
        "bot/reindex/jobs.py",
        "[*await self._stopped_model_jobs(), *await self._bookkeeping.jobs()]",
        "await self._bookkeeping.jobs()",
        (f"{SWITCH}::test_a_job_that_was_stopped_before_goes_on_after_a_restart",),
    ),
    Mutant(
        "a change of models can't be cancelled on one server",
        "bot/commands/reindex.py",
        "    if run.of_a_model:",
        "    if False:",
        (f"{SWITCH}::test_one_server_can_neither_pause_nor_cancel_the_change_for_all",),
    ),
    Mutant(
        "a damaged picture stops no other",
        "bot/sync/ingest.py",
        "            self._failed(post, picture, error)\n            return []\n",
        "            raise\n",
        ("tests/bot/sync/test_live.py::test_damaged_picture_is_counted_and_stops_no_other",),
    ),
    Mutant(
        "a server that was left holds up no change of models",
        "bot/reindex/jobs.py",
        'in ("paused", "cancelled", "failed") and job.space not in departed',
        'in ("paused", "cancelled", "failed")',
        (
            f"{SWITCH}"
            "::test_a_server_that_cannot_be_read_holds_up_no_other_and_one_that_was_left_is_not_read",
        ),
    ),
)
