"""A gallery in PostgreSQL: what is in memory follows the database, whoever writes."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SPACES = "tests/index/store/postgres/test_spaces.py"
ERASURE = "tests/index/store/postgres/test_erasure.py"
DATABASE = "index/store/postgres/database.py"

MUTANTS = (
    Mutant(
        "a question sees what another process has written",
        "index/search/spaces.py",
        "if rows is not None and await self._source.version(space) == known.version:",
        "if rows is not None:",
        (SPACES,),
    ),
    Mutant(
        "who has missed more changes than are known reads everything",
        "index/store/postgres/rows.py",
        "if since is None or since < kept_since or not known:",
        "if since is None or not known:",
        (SPACES,),
    ),
    Mutant(
        "spaces that nobody asks in are forgotten",
        "index/search/spaces.py",
        "            self._spaces.popitem(last=False)",
        "            break",
        (SPACES,),
    ),
    Mutant(
        "a question in one space reads no row of another",
        "index/store/postgres/rows.py",
        "WHERE links.space = ? {among} ORDER BY links.id",
        "WHERE (links.space = ? OR true) {among} ORDER BY links.id",
        (SPACES,),
    ),
    Mutant(
        "a vacuum leaves no entry in an index",
        DATABASE,
        "VACUUM (INDEX_CLEANUP ON)",
        "VACUUM",
        (ERASURE,),
    ),
    Mutant(
        "what a reader kept from being freed is freed the next time",
        DATABASE,
        "        self._has_strays |= left",
        "        self._has_strays |= False",
        (ERASURE,),
    ),
    Mutant(
        "others write while a vacuum waits",
        DATABASE,
        """            self._has_strays = False
        try:
            with translated(self.place):
                async""",
        """            self._has_strays = False
        try:
            with translated(self.place):
              async with self._writing:
                async""",
        (ERASURE,),
    ),
)
