"""Rows of spaces in memory are those of the database."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SPACES = "tests/index/search/test_spaces.py"

MUTANTS = (
    Mutant(
        "a large change of another process is seen whole",
        "index/search/spaces.py",
        "    if changes.touched is None:  # nobody asks these rows yet\n",
        "    if True:\n",
        (f"{SPACES}::test_large_change_of_another_process_is_seen_whole_or_not_at_all",),
    ),
    Mutant(
        "a write is made though its rows can't be read at once",
        "index/search/spaces.py",
        "        except StoreError as exc:\n",
        "        except KeyError as exc:\n",
        (f"{SPACES}::test_write_is_made_though_its_rows_cannot_be_read_at_once",),
    ),
    Mutant(
        "a question finds what another process has written",
        "index/search/spaces.py",
        "            if rows is not None and await self._source.version(space) == known.version:\n",
        "            if rows is not None:\n",
        (f"{SPACES}::test_what_another_process_wrote_is_found_by_the_next_question",),
    ),
)
