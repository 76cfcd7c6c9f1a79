"""What lies in the files of a database's tables and indexes, page by page."""

from __future__ import annotations

import struct

import pytest

PAGE = 8192
HEADER = 24  # bytes of a page before the pointers to its items


async def entries(url: str) -> bytes:
    """All rows and all entries of indexes that the server has, removed ones that it hasn't freed
    yet too; but not the bytes in unused parts of pages."""
    import asyncpg

    db = await asyncpg.connect(url)
    try:
        await db.execute("CHECKPOINT")
        files = await db.fetch(
            """SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class
            WHERE pg_relation_filenode(oid) IS NOT NULL AND oid >= 16384"""
        )
    except asyncpg.InsufficientPrivilegeError:
        pytest.skip("the user of this server may not read its files")
    finally:
        await db.close()
    return b"".join(
        _items(data[start : start + PAGE])
        for (data,) in files
        for start in range(0, len(data), PAGE)
    )


def _items(page: bytes) -> bytes:
    """What the pointers of a page lead to: 15 bits of place, 2 of state, and 15 of length."""
    (end,) = struct.unpack_from("<H", page, 12)
    pointers = struct.unpack_from(f"<{max(end - HEADER, 0) // 4}I", page, HEADER)
    return b"".join(page[one & 0x7FFF :][: one >> 17] for one in pointers)
