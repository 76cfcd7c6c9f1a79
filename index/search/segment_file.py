"""The file format of a segment: a header, arrays one after the other, and checksums.

Rows lie list by list, those of one group together, in blocks of LANES. The *place* of a row is its
number in this order; each list is filled up to whole blocks, so some places hold no row. The file
is a cache. Each row carries a checksum, which is compared when the row is loaded and when its
vector is ranked. A file that isn't what was written is reported as `Damaged`, to be made anew.
"""

from __future__ import annotations

import functools
import json
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.kernels.arguments import Words
from index.search.kernels.constants import LANES

MAGIC = b"MAGPSEG2"
HEADER_BYTES = 4096
PAGE_BYTES = 4096
# Rows that are read, encoded or checked at once: 8 MB of vectors of 512 numbers.
CHUNK_ROWS = 4096
SEED = 20  # of the rotation, the sample and the multipliers: any number will do, always the same
# Arrays that never change. One checksum in the header covers them all.
FIXED = ("by_link", "place_of", "centroids", "spreads", "errors", "starts", "rotation", "key_names")
# What a row has beside its vector, code and factors: 8 bytes or less each.
COLUMNS = ("links", "frames", "owners", "posted", "keys")

Arrays = dict[str, NDArray[Any]]


class Damaged(Exception):
    """A segment's file is missing, cut short, or not what was written."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each array lies in the file: name -> (offset, type, shape)."""

    arrays: dict[str, tuple[int, str, tuple[int, ...]]]
    bytes: int


def plan(dimension: int, blocks: int, rows: int, lists: int, keys: int, quantized: int = 0) -> Plan:
    """Where the arrays of a segment of this size lie.

    rows       those that hold a vector
    quantized  1: there are quantized vectors, too; 0 in files of earlier versions
    """
    places = blocks * LANES
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "vectors": ("<f4", (places, dimension)),
        "codes": ("<u8", (blocks, words_of(dimension), LANES)),
        "factors": ("<f4", (2, places)),
        "keys": ("<i4", (places,)),  # rows of key_names
        "links": ("<i8", (places,)),
        "frames": ("<i4", (places,)),
        "owners": ("<i8", (places,)),
        "posted": ("<f8", (places,)),  # Unix seconds
        "sums": ("<u8", (2, places)),  # checksums of the vector; of all the rest of the row
        # What follows is FIXED.
        "by_link": ("<i8", (rows,)),  # links in ascending order
        "place_of": ("<u4", (rows,)),  # the places of their rows
        "centroids": ("<f4", (lists, dimension)),
        "spreads": ("<f4", (lists,)),  # how far from the centroid rows are, root mean square
        "errors": ("<f4", (lists,)),  # of estimates for a query of unit length, the same way
        "starts": ("<i8", (lists + 1,)),  # the first block of each list
        "rotation": ("<f4", (dimension, dimension)),
        "key_names": ("<i8", (keys, 3)),  # space, group, 1 for a text; ascending
    }
    if quantized:
        # As `arguments.Quantized`, each row with a checksum of its own.
        shapes["quantized"] = ("|u1", (places, 8 * words_of_quantized(dimension) + 8))
    arrays, offset = {}, HEADER_BYTES
    for name, (kind, shape) in shapes.items():
        arrays[name] = (offset, kind, shape)
        size = np.dtype(kind).itemsize * math.prod(shape)
        offset += -(-size // PAGE_BYTES) * PAGE_BYTES
    return Plan(arrays, offset)


def planned(header: dict[str, int]) -> Plan:
    """Where the arrays of a segment with this header lie."""
    sizes = {name: header[name] for name in ("dimension", "blocks", "rows", "lists", "keys")}
    return plan(**sizes, quantized=header.get("quantized", 0))


def words_of(dimension: int) -> int:
    """64-bit words that hold one bit a dimension."""
    return -(-dimension // 64)


def words_of_quantized(dimension: int) -> int:
    """64-bit words that hold a byte a dimension and, in one word more, two lengths: of a step, and
    of what the steps leave out."""
    return -(-dimension // 8) + 1


def map_arrays(path: Path, where: Plan, *, write: bool) -> Arrays:
    """The arrays of a file, mapped, not read."""
    # Without `write` they can be written too, in memory and not in the file, since the loops are
    # compiled for arrays that can.
    mapped = np.memmap(path, np.uint8, "r+" if write else "c", shape=(where.bytes,))
    raw = np.asarray(mapped)
    return {
        name: raw[at : at + np.dtype(kind).itemsize * math.prod(shape)].view(kind).reshape(shape)
        for name, (at, kind, shape) in where.arrays.items()
    }


# ---- checksums


@functools.lru_cache(maxsize=8)
def multipliers(count: int) -> Words:
    """Odd numbers by which the words of a row are multiplied for its checksum."""
    random = np.random.default_rng(SEED)
    return random.integers(0, 2**64, count, np.uint64) | np.uint64(1)


def rest_sums(arrays: Arrays, blocks: slice) -> Words:
    """(rows,) checksums of all that the rows of these blocks have beside their vectors."""
    from index.search.kernels import products

    rows = slice(blocks.start * LANES, blocks.stop * LANES)
    codes = arrays["codes"][blocks]  # (b, w, LANES)
    columns = [arrays[name][rows] for name in COLUMNS] + [one[rows] for one in arrays["factors"]]
    # Of whatever type they are, their bits count.
    bits = [column.view(f"<u{column.itemsize}") for column in columns]
    out = np.zeros(rows.stop - rows.start, np.uint64)
    for column, number in zip(bits, multipliers(len(bits)), strict=True):
        products.add_to_checksums(column, number, out)
    of_codes = multipliers(len(bits) + codes.shape[1])[len(bits) :]
    products.add_codes_to_checksums(codes, of_codes, out)
    return out


def fixed_sum(arrays: Arrays) -> int:
    """The checksum of all FIXED arrays."""
    sum_ = 0
    for name in FIXED:
        sum_ = zlib.crc32(np.ascontiguousarray(arrays[name]).data, sum_)
    return sum_


# ---- the header


def write_header(path: Path, fields: dict[str, int]) -> None:
    """The header is written last: a file without one was never finished."""
    body = json.dumps(fields).encode()
    head = MAGIC + zlib.crc32(body).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body
    with path.open("r+b") as file:
        file.write(head.ljust(HEADER_BYTES, b"\0"))
        file.flush()
        os.fsync(file.fileno())


def read_header(path: Path) -> dict[str, int]:
    """The fields that were written. raises Damaged"""
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except OSError as exc:
        raise Damaged(f"{path.name}: {exc.strerror}") from exc
    size = int.from_bytes(head[12:16], "little")
    body = head[16 : 16 + size]
    if head[:8] != MAGIC or zlib.crc32(body) != int.from_bytes(head[8:12], "little"):
        raise Damaged(f"{path.name}: its header is not what was written")
    fields: dict[str, int] = json.loads(body)
    return fields
