"""What shared statements say in words of their own (`index/store/sql/database.py`), in SQLite's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

_LIST = re.compile(r"\b(?:numbers|texts)\((\?\d*)\)")
_PAIRS = re.compile(r"\bpairs\((\?\d*), (\?\d*)\)")
_ENTRY = re.compile(r"\bentry\(([\w.]+), '(\w+)'\)")
_FLAG = re.compile(r"\bflag\(([\w.]+), '(\w+)'\)")
_INDEX = re.compile(r"\bby_index\((\w+)\)")
_UNINDEXED = re.compile(r"\bunindexed\(([\w.]+)\)")


@lru_cache(1024)
def statement(sql: str) -> str:
    """A shared statement as SQLite takes it."""
    sql = _LIST.sub(r"SELECT value FROM json_each(\1)", sql)
    sql = _PAIRS.sub(
        r"""(SELECT one.value AS one, other.value AS other
        FROM json_each(\1) AS one JOIN json_each(\2) AS other USING (key))""",
        sql,
    )
    sql = _ENTRY.sub(r"json_extract(\1, '$.\2')", sql)
    sql = _FLAG.sub(r"COALESCE(json_extract(\1, '$.\2'), 0)", sql)
    sql = _INDEX.sub(r"INDEXED BY \1", sql)
    return _UNINDEXED.sub(r"+\1", sql)


def parameters(given: Iterable[Any]) -> Sequence[Any]:
    """Parameters as SQLite takes them: a list is JSON."""
    return [json.dumps(one) if isinstance(one, list) else one for one in given]
