"""A backup brings back nothing, and nothing is left where an operator does not look."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ERASURE = "tests/index/store/sqlite/test_erasure.py"
RESTORE = "tests/index/store/sqlite/test_restore.py"

MUTANTS = (
    Mutant(
        "a restore that is killed leaves a gallery",
        "index/store/sqlite/backup.py",
        "            os.link(gallery, before)",
        "            gallery.rename(before)",
        (RESTORE,),
    ),
    Mutant(
        "a restore overwrites no earlier gallery",
        "index/store/sqlite/backup.py",
        '    return any(files.beside(name, ending).exists() for ending in ("", *files.LOGS))',
        "    return False",
        (RESTORE,),
    ),
    Mutant(
        "a copy in the making is for its owner only",
        "index/store/sqlite/files.py",
        "os.O_EXCL, 0o600",
        "os.O_EXCL, 0o666",
        (RESTORE,),
    ),
    Mutant(
        "a restore brings back nothing that was deleted",
        "index/store/sqlite/carry_over.py",
        "        await statements.drop_links(Transaction(db), DELETED)",
        "        pass",
        (RESTORE,),
    ),
    Mutant(
        "a restore brings back no erased channel",
        "index/store/sqlite/carry_over.py",
        "            await _follow_erasures(db)",
        "            pass",
        (RESTORE,),
    ),
    Mutant(
        "a restore forgets no removed channel",
        "index/store/sqlite/carry_over.py",
        '    "watched": "watched channels",\n',
        "",
        (RESTORE,),
    ),
    Mutant(
        "a restored job is not done before its work is",
        "index/store/sqlite/carry_over.py",
        "now.status IN ('running', 'paused', 'cancelled')",
        "now.status != ''",
        (RESTORE,),
    ),
    Mutant(
        "a restored job makes again what is not in the copy",
        "index/store/sqlite/carry_over.py",
        "UPDATE jobs SET status = now.status FROM",
        "UPDATE jobs SET status = now.status, state = now.state FROM",
        (RESTORE,),
    ),
    Mutant(
        "a restore gives no id a second time",
        "index/store/sqlite/carry_over.py",
        "    await _give_no_id_twice(db)",
        "    pass",
        (RESTORE,),
    ),
    Mutant(
        "a restore brings back nothing of what is yet to be read again",
        "index/store/sqlite/carry_over.py",
        "    await statements.drop_links(Transaction(db), YET_TO_BE_READ)",
        "    pass",
        (RESTORE,),
    ),
    Mutant(
        "after a restore the reading again goes on",
        "index/store/sqlite/carry_over.py",
        "SET newest = max(newest, read_down_to), oldest = read_down_to, complete = 0",
        "SET newest = newest",
        (RESTORE,),
    ),
    Mutant(
        "temporary copies lie beside the gallery",
        "index/store/sqlite/connections.py",
        "temp_store = MEMORY",
        "temp_store = FILE",
        (ERASURE,),
    ),
    Mutant(
        "what a kill left of a copy is overwritten",
        "index/store/sqlite/connections.py",
        "        files.remove_leftovers(path)",
        "        pass",
        (ERASURE,),
    ),
)
