"""Between the columns of tables and the plain data of `index.types`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from index.store.sql.database import Row
from index.types.errors import StoreCorrupt
from index.types.query import NOTHING, QueryEmbedding
from index.types.records import EmbeddedPicture, Entries, Floats, Group, Link

# The columns that `link_of` takes, followed by the item's kind and text.
LINK = """links.id, links.space, links.source, links.slot, links.owner, links.posted_at,
    links.name, links.spoiler, links.details,
    groups.id, groups.parent, groups.private, items.kind, items.text
    FROM links JOIN items ON items.id = links.item
    JOIN groups ON groups.space = links.space AND groups.id = links.group_id"""


def blob(vectors: Floats) -> bytes:
    """The vectors (frames, d) as a column holds them: float32, row by row."""
    return np.ascontiguousarray(vectors, np.float32).tobytes()


def query_blob(embedding: QueryEmbedding) -> tuple[bytes, str]:
    """The vectors of a query as a column holds them; how many each part has, its terms and
    pairs, and whether its words are spelled, as JSON.

    Hits of which more or less is wanted are not among them: those are read when they are needed.
    """
    rows = {
        "words": embedding.words,
        "picture": embedding.picture,
        "minus": embedding.minus,
        "parts": embedding.parts,
    }
    parts = {name: np.atleast_2d(part) for name, part in rows.items() if part is not None}
    parts = {name: part for name, part in parts.items() if part.size}
    told: dict[str, Any] = {name: len(part) for name, part in parts.items()}
    if embedding.spelled:
        told["spelled"] = True
    told |= {
        name: phrases
        for name, phrases in (("terms", embedding.terms), ("pairs", embedding.pairs))
        if phrases
    }
    return b"".join(map(blob, parts.values())), json.dumps(told)


def query_of(blob: bytes, parts: str | None, truncated: str | None) -> QueryEmbedding:
    """What `query_blob` wrote; `parts` is None for a search that an earlier Magpie saved."""
    counts: dict[str, Any] = {"words": 1} if parts is None else json.loads(parts)
    spelled = bool(counts.pop("spelled", False))
    terms, pairs = (tuple(counts.pop(name, ())) for name in ("terms", "pairs"))
    total = sum(counts.values())
    if not total:
        return QueryEmbedding(truncated=truncated)
    rows = np.frombuffer(blob, np.float32).reshape(total, -1)
    ends = np.cumsum(list(counts.values()))
    found = dict(zip(counts, np.split(rows, ends[:-1]), strict=True))
    return QueryEmbedding(
        words=found["words"][0] if "words" in found else None,
        picture=found["picture"][0] if "picture" in found else None,
        minus=found.get("minus", NOTHING),
        parts=found.get("parts", NOTHING),
        truncated=truncated,
        terms=terms,
        pairs=pairs,
        spelled=spelled,
    )


def link_of(row: Row) -> Link:
    """The link in a row of `LINK`."""
    (_, space, source, slot, owner, posted_at, name, spoiler, details, *group) = row[:12]
    id, parent, private = group
    return Link(
        space=space,
        group=Group(id, parent, bool(private)),
        source=source,
        slot=slot,
        owner=owner,
        posted_at=posted_at,
        name=name,
        spoiler=bool(spoiler),
        details=json.loads(details),
    )


def vectors_of(place: str, blob: bytes, dimension: int) -> Floats:
    """The vectors (frames, d) float32 in a column. raises StoreCorrupt when they don't fit"""
    if not blob or len(blob) % (4 * dimension):
        raise StoreCorrupt(place, f"a vector has {len(blob)} bytes, not {4 * dimension}")
    return np.frombuffer(blob, np.float32).reshape(-1, dimension)


def chunk_of(place: str, rows: Sequence[Row], dimension: int) -> Entries:
    """Rows with vectors, column by column. raises StoreCorrupt when a length doesn't fit"""
    links, spaces, groups, texts, owners, posted, sizes, blobs = zip(*rows, strict=True)
    if any(not size or size % (4 * dimension) for size in sizes):
        raise StoreCorrupt(place, f"a vector has a length that is not {dimension}")
    return Entries(
        links=np.array(links, np.int64),
        spaces=np.array(spaces, np.int64),
        groups=np.array(groups, np.int64),
        texts=np.array(texts, np.bool_),
        owners=np.array(owners, np.int64),
        posted=np.array(posted, np.float64),
        frames=np.array(sizes, np.int64) // (4 * dimension),
        vectors=np.frombuffer(b"".join(blobs), np.float32).reshape(-1, dimension),
    )


def entries_of(added: Sequence[tuple[int, EmbeddedPicture, Link]]) -> Entries | None:
    """Links that were written, with their ids, as search takes them."""
    if not added:
        return None
    # When the same slot comes twice in one commit, the last one counts, as in the file.
    last = {id: (picture, link) for id, picture, link in added}
    return Entries(
        links=np.array(list(last), np.int64),
        spaces=np.array([link.space for _, link in last.values()], np.int64),
        groups=np.array([link.group.id for _, link in last.values()], np.int64),
        texts=np.array([picture.kind == "text" for picture, _ in last.values()], np.bool_),
        owners=np.array([link.owner for _, link in last.values()], np.int64),
        posted=np.array([link.posted_at for _, link in last.values()], np.float64),
        frames=np.array([len(picture.vectors) for picture, _ in last.values()], np.int64),
        vectors=np.concatenate([picture.vectors for picture, _ in last.values()]),
    )
