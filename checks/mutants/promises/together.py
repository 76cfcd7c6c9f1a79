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
)
