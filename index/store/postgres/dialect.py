"""What shared statements say in words of their own (`index/store/sql/database.py`), in
PostgreSQL's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_NOT_IN = re.compile(r"\bNOT IN \((numbers|texts)\((\?\d*)\)\)")
_IN = re.compile(r"\bIN \((numbers|texts)\((\?\d*)\)\)")
_PAIRS = re.compile(r"\bpairs\((\?\d*), (\?\d*)\) AS (\w+)")
_ENTRY = re.compile(r"\bentry\(([\w.]+), '(\w+)'\)")
_FLAG = re.compile(r"\bflag\(([\w.]+), '(\w+)'\)")
_INDEX = re.compile(r"\s*\bby_index\(\w+\)")
_UNINDEXED = re.compile(r"\bunindexed\(([\w.]+)\)")
_PARAMETER = re.compile(r"\?(\d*)")
_ADDS_A_ROW = re.compile(r"(INSERT INTO \w+ \([\w\s,]+\)) VALUES \([?$\d, ]+\)")
_ARRAYS = {"numbers": "bigint[]", "texts": "text[]"}


@lru_cache(1024)
def statement(sql: str) -> str:
    """A shared statement as PostgreSQL takes it."""
    sql = _NOT_IN.sub(lambda it: f"<> ALL ({it[2]}::{_ARRAYS[it[1]]})", sql)
    sql = _IN.sub(lambda it: f"= ANY ({it[2]}::{_ARRAYS[it[1]]})", sql)
    sql = _PAIRS.sub(r"unnest(\1::bigint[], \2::bigint[]) AS \3 (one, other)", sql)
    sql = _ENTRY.sub(r"(\1::jsonb ->> '\2')", sql)
    sql = _FLAG.sub(r"CASE WHEN \1::jsonb ->> '\2' = 'true' THEN 1 ELSE 0 END", sql)
    sql = _INDEX.sub("", sql)
    sql = _UNINDEXED.sub(r"\1", sql)
    count = 0

    def parameter(it: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${it[1] or count}"

    return _PARAMETER.sub(parameter, sql)


def adds_a_row(sql: str) -> bool:
    """Whether a statement is an INSERT of one row of parameters, and nothing more. One that says
    what to do about a row that is there can't take many: two of them may be the same row."""
    return _ADDS_A_ROW.fullmatch(" ".join(sql.split())) is not None


def insert_of_columns(sql: str, types: Sequence[str]) -> str:
    """Such an INSERT, of an array for each parameter instead; `types` are those of its values."""
    insert = _ADDS_A_ROW.fullmatch(" ".join(sql.split()))
    assert insert is not None
    arrays = (f"${place}::{name}[]" for place, name in enumerate(types, 1))
    return f"{insert[1]} SELECT * FROM unnest({', '.join(arrays)})"
