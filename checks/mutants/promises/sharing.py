"""Several processes share a gallery: each acts on its own servers alone."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

OWNERSHIP = "tests/bot/test_ownership.py"
CLAIM = "tests/index/store/postgres/test_claim.py"
OPERATION = "tests/bot/test_operation.py"
PROCESSES = "tests/bot/test_shard_processes.py"

MUTANTS = (
    Mutant(
        "the process with shard 0 alone registers the commands",
        "bot/app.py",
        "        if self.settings.shards.first:  # one of the processes is enough\n",
        "        if True:\n",
        (PROCESSES,),
    ),
    Mutant(
        "a process serves its own servers alone",
        "bot/app.py",
        '    return {"shard_ids": list(shards.ids), "shard_count": shards.count}\n',
        "    return {}\n",
        (PROCESSES,),
    ),
    Mutant(
        "a departed server is erased by its own process",
        "bot/maintenance/departures.py",
        "            if self._shards.mine(space) and since <= time.time()",
        "            if since <= time.time()",
        (f"{OWNERSHIP}::test_servers_of_others_are_neither_erased_nor_expired",),
    ),
    Mutant(
        "old pictures are erased by their server's own process",
        "bot/maintenance/maintenance.py",
        "        for space in filter(self._shards.mine, await self._bookkeeping.retention()):\n",
        "        for space in await self._bookkeeping.retention():\n",
        (f"{OWNERSHIP}::test_servers_of_others_are_neither_erased_nor_expired",),
    ),
    Mutant(
        "channels are listed by their server's own process",
        "bot/maintenance/relisting.py",
        "            for space in filter(self._shards.mine, await self._links.spaces())\n",
        "            for space in await self._links.spaces()\n",
        (f"{OWNERSHIP}::test_channels_of_others_are_not_listed",),
    ),
    Mutant(
        "pictures are judged by their server's own process",
        "bot/watches/judge.py",
        "                if self._shards.mine(one.space):\n",
        "                if True:\n",
        (f"{OWNERSHIP}::test_pictures_of_others_are_not_judged",),
    ),
    Mutant(
        "a notice is sent by its server's own process",
        "bot/watches/deliveries.py",
        "        if watch is not None and not self._shards.mine(watch.space):\n",
        "        if False:\n",
        (f"{OWNERSHIP}::test_notices_of_others_are_left_to_them",),
    ),
    Mutant(
        "a notice that may have been sent is looked for by its server's own process",
        "bot/watches/deliveries.py",
        "            if watch is None or not self._shards.mine(watch.space):\n",
        "            if watch is None:\n",
        (f"{OWNERSHIP}::test_notices_of_others_are_left_to_them",),
    ),
    Mutant(
        "a note that may have been sent is looked for by its server's own process",
        "bot/reposts/notes.py",
        "            if self._shards.mine(note.space) and note.source != self._sending:\n",
        "            if note.source != self._sending:\n",
        (f"{OWNERSHIP}::test_notes_of_others_are_left_to_them",),
    ),
    Mutant(
        "a loose note is deleted by its server's own process",
        "bot/reposts/notes.py",
        "            if self._shards.mine(note.space) and note.id != UNSENT:\n",
        "            if note.id != UNSENT:\n",
        (f"{OWNERSHIP}::test_notes_of_others_are_left_to_them",),
    ),
    Mutant(
        "a job goes on in its server's own process",
        "bot/reindex/jobs.py",
        " or job.id in self._runs or not self._shards.mine(job.space):\n",
        " or job.id in self._runs:\n",
        (f"{OWNERSHIP}::test_jobs_of_others_are_left_to_them",),
    ),
    Mutant(
        "a shard is served by one process",
        "index/store/postgres/claim.py",
        "            if not await connection.fetchval(_TAKE, _PART, part):\n",
        "            if False:\n",
        (f"{CLAIM}::test_each_part_is_served_once",),
    ),
    Mutant(
        "all processes of a database have the same number of shards",
        "index/store/postgres/claim.py",
        '            if other["number"] != self._count:\n',
        "            if False:\n",
        (f"{CLAIM}::test_all_divide_the_database_alike",),
    ),
    Mutant(
        "a process that has lost its shards to another one stops",
        "bot/__main__.py",
        "    await asyncio.wait({serving, stopping, keeping, failing}, ",
        "    await asyncio.wait({serving, stopping, failing}, ",
        (f"{OPERATION}::test_who_has_lost_its_servers_to_another_process_stops",),
    ),
)
