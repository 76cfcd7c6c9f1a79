"""Several processes write to one gallery in PostgreSQL: an erasure misses nothing."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

TOGETHER = "tests/index/store/postgres/test_together.py"
ERASED = f"{TOGETHER}::test_an_erasure_leaves_nothing_that_another_process_is_about_to_write"

MUTANTS = (
    Mutant(
        "a write holds the rules that it has looked at",
        "index/store/sql/statements.py",
        "    await db.hold_rules(spaces)  # else",
        "    # else",
        (ERASED,),
    ),
    Mutant(
        "an erasure waits for writes that did not know of it",
        "index/store/sql/writes.py",
        "            await db.hold_rules([space], to_change=True)\n",
        "",
        (ERASED,),
    ),
    Mutant(
        "a retention that is set waits for writes that did not know of it",
        "index/store/sql/bookkeeping.py",
        "            await db.hold_rules([space], to_change=True)\n",
        "",
        (ERASED,),
    ),
    Mutant(
        "the removal of a server waits for writes that did not know of it",
        "index/store/sql/writes.py",
        "            await db.hold_rules([space], to_change=True)  # else",
        "            # else",
        (ERASED,),
    ),
    Mutant(
        "words wait for links that are being made to their picture",
        "index/store/sql/transcripts.py",
        "            await db.hold_item(key)  # else",
        "            # else",
        (f"{TOGETHER}::test_words_miss_no_link_that_another_process_makes_meanwhile",),
    ),
    Mutant(
        "a change in many servers is noted for each link once",
        "index/store/sql/statements.py",
        "        found.setdefault(space, []).append(link)\n",
        "        found.setdefault(space, []).append(link)\n"
        "    found = {space: sum(found.values(), []) for space in found}\n",
        (f"{TOGETHER}::test_a_change_in_many_spaces_is_noted_for_each_link_once",),
    ),
)
