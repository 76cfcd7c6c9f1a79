"""The shape of the gallery's file, one numbered step after another.

A file carries the number of its last step (`PRAGMA user_version`). A step that was
released never changes; a new shape is a new step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiosqlite

APPLICATION_ID = 0x4D_41_47_50  # "MAGP": tells a gallery from other SQLite files


# Of the shape of `embeddings`, whose name it takes in the end.
SUCCESSOR_EMBEDDINGS = """CREATE TABLE successor_embeddings (
    item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
    vectors BLOB NOT NULL
)"""


async def _step_1(db: aiosqlite.Connection) -> None:
    """Pictures, links to them, and what is remembered beside them."""
    for statement in (
        # The one model whose embeddings are kept here.
        """CREATE TABLE model (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            revision TEXT NOT NULL,
            dimension INTEGER NOT NULL
        )""",
        # One row for the same bytes, however often they were posted.
        """CREATE TABLE items (
            id INTEGER PRIMARY KEY,
            key BLOB NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'text')),
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            text TEXT
        )""",
        # float32, the frames of an item one after another. A table by itself: a scan of
        # items or links doesn't read vectors. Not WITHOUT ROWID: secure_delete leaves
        # copies in index pages.
        """CREATE TABLE embeddings (
            item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
            vectors BLOB NOT NULL
        )""",
        """CREATE TABLE groups (
            space INTEGER NOT NULL,
            id INTEGER NOT NULL,
            parent INTEGER,
            private INTEGER NOT NULL,
            PRIMARY KEY (space, id)
        ) WITHOUT ROWID""",
        # AUTOINCREMENT: the id of a removed link never points at another one later.
        """CREATE TABLE links (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space INTEGER NOT NULL,
            group_id INTEGER NOT NULL,
            source TEXT NOT NULL,
            slot TEXT NOT NULL,
            item INTEGER NOT NULL REFERENCES items,
            owner INTEGER NOT NULL,
            posted_at REAL NOT NULL,
            name TEXT NOT NULL,
            spoiler INTEGER NOT NULL,
            details TEXT NOT NULL,
            UNIQUE (space, source, slot),
            FOREIGN KEY (space, group_id) REFERENCES groups (space, id)
        )""",
        "CREATE INDEX links_of_group ON links (space, group_id)",
        "CREATE INDEX links_of_item ON links (item)",
        """CREATE TABLE cursors (
            space INTEGER NOT NULL,
            group_id INTEGER NOT NULL,
            newest INTEGER NOT NULL,
            oldest INTEGER NOT NULL,
            complete INTEGER NOT NULL,
            PRIMARY KEY (space, group_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE watched (
            space INTEGER NOT NULL,
            group_id INTEGER NOT NULL,
            PRIMARY KEY (space, group_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space INTEGER NOT NULL,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            state TEXT NOT NULL
        )""",
        """CREATE TABLE searches (
            id TEXT PRIMARY KEY,
            space INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            params TEXT NOT NULL,
            vector BLOB NOT NULL,
            truncated TEXT,
            made_at REAL NOT NULL
        )""",
    ):
        await db.execute(statement)


async def _step_2(db: aiosqlite.Connection) -> None:
    """Which files of settled rows stand for which links."""
    for statement in (
        # Links up to `newest` are in the files `names` (JSON), except those in `touched`.
        """CREATE TABLE settled (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            names TEXT NOT NULL,
            newest INTEGER NOT NULL
        )""",
        # Settled links that were removed or replaced since: what the files say of them is old.
        "CREATE TABLE touched (link INTEGER PRIMARY KEY)",
    ):
        await db.execute(statement)


async def _step_3(db: aiosqlite.Connection) -> None:
    """The embeddings of the model that will follow, while they are made."""
    for statement in (
        """CREATE TABLE successor (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            revision TEXT NOT NULL,
            dimension INTEGER NOT NULL,
            succession TEXT NOT NULL
        )""",
        SUCCESSOR_EMBEDDINGS,
    ):
        await db.execute(statement)


async def _step_4(db: aiosqlite.Connection) -> None:
    """What people and spaces want of what is kept about them."""
    for statement in (
        """CREATE TABLE opted_out (
            space INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            PRIMARY KEY (space, owner)
        ) WITHOUT ROWID""",
        # Nothing older than this is kept.
        "CREATE TABLE retention (space INTEGER PRIMARY KEY, days INTEGER NOT NULL)",
        # Spaces that nobody can ask about any more, since when (Unix seconds).
        "CREATE TABLE departed (space INTEGER PRIMARY KEY, since REAL NOT NULL)",
        "CREATE INDEX links_of_owner ON links (space, owner)",
        "CREATE INDEX links_by_age ON links (space, posted_at)",
    ):
        await db.execute(statement)


async def _step_5(db: aiosqlite.Connection) -> None:
    """Questions may be kept without their vector.

    Those kept until now go: the vector of one that was asked with somebody's picture would
    outlive the picture.
    """
    await db.execute("DROP TABLE searches")
    await db.execute(
        """CREATE TABLE searches (
            id TEXT PRIMARY KEY,
            space INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            params TEXT NOT NULL,
            vector BLOB,
            truncated TEXT,
            made_at REAL NOT NULL
        )"""
    )


async def _step_6(db: aiosqlite.Connection) -> None:
    """Groups that nobody can look into any more, since when (Unix seconds)."""
    await db.execute("ALTER TABLE groups ADD COLUMN closed_since REAL")


async def _step_7(db: aiosqlite.Connection) -> None:
    """Questions by their age, for when those that are too old go."""
    await db.execute("CREATE INDEX searches_by_age ON searches (made_at)")


STEPS: tuple[Callable[[aiosqlite.Connection], Awaitable[None]], ...] = (
    _step_1,
    _step_2,
    _step_3,
    _step_4,
    _step_5,
    _step_6,
    _step_7,
)
LATEST = len(STEPS)


async def migrate(db: aiosqlite.Connection, version: int) -> None:
    """Bring a file from `version` (0: empty) to LATEST, each step in its own transaction."""
    for number, step in enumerate(STEPS[version:], start=version + 1):
        await db.execute("BEGIN IMMEDIATE")
        try:
            await step(db)
            await db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            await db.execute(f"PRAGMA user_version = {number}")
            await db.commit()
        except BaseException:
            await db.rollback()
            raise
