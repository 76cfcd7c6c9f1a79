"""Pictures and links for the tests of stores, and what lies in an SQLite file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np

from index.store.interface import Store
from index.types.records import EmbeddedPicture, Group, Link, ModelInfo, Moment
from index.types.searches import Asked, ShownBy

MODEL = ModelInfo("m", "1", 8)
GENERAL = Group(10)
THREAD = Group(11, parent=10, private=True)
ASKED = Asked("a dog", True, shown_by=ShownBy(10, "1234567890123456789", 1, 3), public=True)


def picture(number: int, frames: int = 1, kind: str = "image") -> EmbeddedPicture:
    rng = np.random.default_rng(number)
    vectors = rng.normal(size=(frames, 8)).astype(np.float32)
    text = f"text {number}" if kind == "text" else None
    return EmbeddedPicture(rng.bytes(32), kind, vectors, 640, 480, text)  # type: ignore[arg-type]


def link(source: str, slot: str = "a", group: Group = GENERAL, space: int = 1) -> Link:
    return Link(space, group, source, slot, owner=5, posted_at=12.5, name=f"{source}.png")


def rows_of(store: Store, sql: str) -> list[tuple[object, ...]]:
    """The rows that a statement gives, by a connection of its own."""
    db = sqlite3.connect(store.path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def all_bytes(path: Path) -> bytes:
    """All bytes of the file and of those beside it."""
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def moving(number: int) -> EmbeddedPicture:
    """An animation of three frames."""
    moments = [Moment(second, b"still-of-%d-at-%d" % (number, second)) for second in (0, 4, 12)]
    return replace(picture(number, frames=3), moments=moments)
