"""A gallery that is moved is the same afterwards, whatever happened meanwhile."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

MOVING = "tests/index/store/test_moving.py"

MUTANTS = (
    Mutant(
        "what is erased while a gallery is moved is erased in the copy",
        "index/store/moving/copying.py",
        "        if gone:\n",
        "        if False:\n",
        (f"{MOVING}::test_what_changes_meanwhile_is_copied_too",),
    ),
    Mutant(
        "no id is given again after a move",
        "index/store/moving/moving.py",
        "        await there.raise_ids(await here.greatest_ids())\n",
        "",
        (f"{MOVING}::test_a_gallery_goes_to_postgres_and_back_with_the_same_answers",),
    ),
    Mutant(
        "a copy that differs is not given to bots",
        "index/store/moving/moving.py",
        "        _refuse_different(there.database.place, checks)\n",
        "",
        (f"{MOVING}::test_a_row_that_cannot_be_made_the_same_is_told",),
    ),
    Mutant(
        "no bot starts on a copy that is not complete",
        "index/store/sql/store.py",
        "    if INCOMPLETE in tables:\n",
        "    if False:\n",
        (f"{MOVING}::test_a_killed_move_goes_on",),
    ),
    Mutant(
        "a move writes over no other gallery",
        "index/store/moving/moving.py",
        "    if ours != theirs and (marked or await _has_something(there.database)):\n",
        "    if ours != theirs and marked:\n",
        (f"{MOVING}::test_a_gallery_of_others_is_not_written",),
    ),
)
