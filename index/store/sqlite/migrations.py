"""The tables of the gallery's file, made by one numbered step after another.

A file carries the number of its last step (`PRAGMA user_version`). A step that was released never
changes: a change of the tables is a new step.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import aiosqlite

APPLICATION_ID = 0x4D_41_47_50  # "MAGP": tells a gallery from other SQLite files


async def create_items_and_links(db: aiosqlite.Connection) -> None:
    """Tables of pictures, of links to them, and of what is remembered beside them."""
    for statement in (
        # The model whose embeddings are kept.
        """CREATE TABLE model (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            revision TEXT NOT NULL,
            dimension INTEGER NOT NULL
        )""",
        # Bytes that were posted several times have one row.
        """CREATE TABLE items (
            id INTEGER PRIMARY KEY,
            key BLOB NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'text')),
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            text TEXT
        )""",
        # float32, the frames of an item one after another. They have a table of their own, so
        # that a scan of items or links doesn't read vectors. Not WITHOUT ROWID, because
        # secure_delete leaves copies in index pages.
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
        # AUTOINCREMENT, so that the id of a removed link is never given to another one.
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


async def note_which_rows_are_in_segments(db: aiosqlite.Connection) -> None:
    """Which links are in which segment files."""
    for statement in (
        # Links up to `newest` are in the files `names` (JSON), except those in `touched`.
        """CREATE TABLE settled (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            names TEXT NOT NULL,
            newest INTEGER NOT NULL
        )""",
        # Links in segment files that were removed or replaced since.
        "CREATE TABLE touched (link INTEGER PRIMARY KEY)",
    ):
        await db.execute(statement)


async def keep_embeddings_by_a_second_model(db: aiosqlite.Connection) -> None:
    """Embeddings by the model that the gallery changes to, while they are made."""
    for statement in (
        """CREATE TABLE successor (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            name TEXT NOT NULL,
            revision TEXT NOT NULL,
            dimension INTEGER NOT NULL,
            succession TEXT NOT NULL
        )""",
        """CREATE TABLE successor_embeddings (
            item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
            vectors BLOB NOT NULL
        )""",
    ):
        await db.execute(statement)


async def keep_opt_outs_and_retention(db: aiosqlite.Connection) -> None:
    """Which owners opted out, for how long spaces keep pictures, and which spaces were left."""
    for statement in (
        """CREATE TABLE opted_out (
            space INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            PRIMARY KEY (space, owner)
        ) WITHOUT ROWID""",
        # Links older than this are removed.
        "CREATE TABLE retention (space INTEGER PRIMARY KEY, days INTEGER NOT NULL)",
        # Spaces that were left, since when (Unix seconds).
        "CREATE TABLE departed (space INTEGER PRIMARY KEY, since REAL NOT NULL)",
        "CREATE INDEX links_of_owner ON links (space, owner)",
        "CREATE INDEX links_by_age ON links (space, posted_at)",
    ):
        await db.execute(statement)


async def save_searches_without_vectors(db: aiosqlite.Connection) -> None:
    """Saved searches may lack their vector.

    Those of until now are deleted: the vector of a search with a posted picture would outlive the
    picture.
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


async def note_closed_groups(db: aiosqlite.Connection) -> None:
    """Groups that the caller cannot read any more, since when (Unix seconds)."""
    await db.execute("ALTER TABLE groups ADD COLUMN closed_since REAL")


async def find_searches_by_age(db: aiosqlite.Connection) -> None:
    """An index of saved searches by age, by which old ones are found."""
    await db.execute("CREATE INDEX searches_by_age ON searches (made_at)")


async def keep_derivations(db: aiosqlite.Connection) -> None:
    """What is made from pictures: each derivation has a table.

    Embeddings by the model that the gallery changes to become the first derivation.
    """
    for statement in (
        # Results of a revision are kept while its row is here. `id` is new for each beginning.
        """CREATE TABLE derivations (
            name TEXT PRIMARY KEY,
            revision TEXT NOT NULL,
            id TEXT NOT NULL,
            details TEXT NOT NULL
        )""",
        """INSERT INTO derivations SELECT 'reembedding', revision, succession,
            json_object('name', name, 'dimension', dimension) FROM successor""",
        "DROP TABLE successor",
        "ALTER TABLE successor_embeddings RENAME TO derived_reembedding",
        "ALTER TABLE derived_reembedding RENAME COLUMN vectors TO data",
    ):
        await db.execute(statement)


async def forget_who_asked_for_jobs(db: aiosqlite.Connection) -> None:
    """Jobs no longer keep the id of the member who began them; nothing needs it."""
    await db.execute("UPDATE jobs SET state = json_remove(state, '$.asked_by')")


async def leave_out_up_to_a_moment(db: aiosqlite.Connection) -> None:
    """Which links of which owners are left out: all of those who opted out, as before, and of
    those who only had them removed, the links posted up to that moment."""
    for statement in (
        # `upto` in Unix seconds; infinity for those who opted out.
        """CREATE TABLE left_out (
            space INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            upto REAL NOT NULL,
            PRIMARY KEY (space, owner)
        ) WITHOUT ROWID""",
        "INSERT INTO left_out SELECT space, owner, 9e999 FROM opted_out",
        "DROP TABLE opted_out",
    ):
        await db.execute(statement)


async def find_links_of_item_by_group(db: aiosqlite.Connection) -> None:
    """Whether a group shows an item is looked up as quickly where others show it very often."""
    await db.execute("DROP INDEX links_of_item")
    await db.execute("CREATE INDEX links_of_item ON links (item, space, group_id)")


async def give_the_gallery_an_identity(db: aiosqlite.Connection) -> None:
    """A number that copies of this gallery have, too, and no other gallery."""
    await db.execute("CREATE TABLE identity (id BLOB NOT NULL)")
    await db.execute("INSERT INTO identity VALUES (randomblob(16))")


async def find_owners_of_groups(db: aiosqlite.Connection) -> None:
    """Whose links groups have is read from the index alone: in a seventh of the time."""
    await db.execute("DROP INDEX links_of_group")
    await db.execute("CREATE INDEX links_of_group ON links (space, group_id, owner)")


async def keep_the_parts_of_saved_searches(db: aiosqlite.Connection) -> None:
    """How many vectors of which part of the query are in `vector`; NULL: one, of the words."""
    await db.execute("ALTER TABLE searches ADD COLUMN parts TEXT")


async def keep_what_tells_copies(db: aiosqlite.Connection) -> None:
    """Fingerprints of pictures, by which their copies are known, and pairs that are no copies."""
    for statement in (
        """CREATE TABLE derived_fingerprint (
            item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
            data BLOB NOT NULL
        )""",
        # The beginning of each fingerprint, which is read of all pictures at once.
        """CREATE TABLE hashes (
            item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
            hashes BLOB NOT NULL
        )""",
        """CREATE TRIGGER keep_hashes AFTER INSERT ON derived_fingerprint WHEN new.data != x''
        BEGIN
            INSERT OR REPLACE INTO hashes VALUES (new.item, substr(new.data, 1, 16));
        END""",
        """CREATE TRIGGER drop_hashes AFTER DELETE ON derived_fingerprint
        BEGIN
            DELETE FROM hashes WHERE item = old.item;
        END""",
        # What somebody called no copies; each pair both ways round.
        """CREATE TABLE not_copies (
            space INTEGER NOT NULL,
            item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
            other INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
            UNIQUE (item, other, space)
        )""",
        "CREATE INDEX not_copies_of_other ON not_copies (other)",
    ):
        await db.execute(statement)


async def note_what_was_posted_before(db: aiosqlite.Connection) -> None:
    """Groups in which the caller notes that a picture was posted before, and those notes."""
    for statement in (
        # A picture that so many owners have posted is not noted.
        """CREATE TABLE noted_groups (
            space INTEGER NOT NULL,
            group_id INTEGER NOT NULL,
            owners INTEGER NOT NULL,
            PRIMARY KEY (space, group_id)
        ) WITHOUT ROWID""",
        # What is not noted in a group, whoever posts it.
        """CREATE TABLE passes (
            space INTEGER NOT NULL,
            group_id INTEGER NOT NULL,
            item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
            UNIQUE (item, space, group_id)
        )""",
        """CREATE TABLE notes (
            space INTEGER NOT NULL,
            source TEXT NOT NULL,
            group_id INTEGER NOT NULL,
            named TEXT NOT NULL,
            id TEXT NOT NULL,
            PRIMARY KEY (space, source)
        ) WITHOUT ROWID""",
    ):
        await db.execute(statement)


async def keep_transcripts(db: aiosqlite.Connection) -> None:
    """The words that were read in pictures, and an index of them."""
    for statement in (
        # Whose transcripts are kept.
        """CREATE TABLE ocr (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            revision TEXT NOT NULL
        )""",
        # `lines` has a line break between two; '': the picture has no words. A stale one counts
        # until the picture is read again.
        """CREATE TABLE transcripts (
            item INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
            lines TEXT NOT NULL,
            stale INTEGER NOT NULL
        )""",
        # Links that show a picture which was read for other links alone, see `words`.
        "CREATE TABLE unread (link INTEGER PRIMARY KEY REFERENCES links ON DELETE CASCADE)",
        # The index, see `words`. It keeps no copy of what it indexes.
        """CREATE VIRTUAL TABLE words USING fts5(
            terms, content='', columnsize=0, tokenize='ascii'
        )""",
        """CREATE VIRTUAL TABLE near_words USING fts5(
            terms, content='', columnsize=0, detail=none, tokenize='ascii'
        )""",
        # Which terms it has.
        "CREATE TABLE word_terms (revision TEXT NOT NULL)",
    ):
        await db.execute(statement)


async def keep_moments(db: aiosqlite.Connection) -> None:
    """The frames of animations and videos: when each is shown, and a small picture of it.

    What was added before has none.
    """
    await db.execute(
        """CREATE TABLE moments (
            item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
            frame INTEGER NOT NULL,
            second REAL NOT NULL,
            still BLOB NOT NULL,
            UNIQUE (item, frame)
        )"""
    )


async def forget_what_was_said_where_nothing_is_shown(db: aiosqlite.Connection) -> None:
    """What was said of a picture goes with the last link of its space, as it does from now on."""
    for table, column in (("not_copies", "item"), ("not_copies", "other"), ("passes", "item")):
        await db.execute(
            f"""DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM links
            WHERE links.item = {table}.{column} AND links.space = {table}.space)"""
        )


async def find_notes_by_id(db: aiosqlite.Connection) -> None:
    """An index of notes by id, by which those are found that may not have been sent."""
    await db.execute("CREATE INDEX notes_by_id ON notes (id)")


async def note_which_pictures_are_partial(db: aiosqlite.Connection) -> None:
    """Whether the file of a picture lacks a part of it; earlier Magpies refused such files."""
    await db.execute("ALTER TABLE items ADD COLUMN partial INTEGER NOT NULL DEFAULT 0")


async def keep_watches(db: aiosqlite.Connection) -> None:
    """Questions that new links are judged by, which links are still to be judged, and of which
    their owners are told."""
    for statement in (
        """CREATE TABLE watches (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space INTEGER NOT NULL,
            owner INTEGER NOT NULL,
            asked TEXT NOT NULL,
            group_id INTEGER,
            settings TEXT NOT NULL,
            vector BLOB,
            parts TEXT,
            truncated TEXT,
            revision TEXT NOT NULL,
            made_at REAL NOT NULL,
            paused TEXT NOT NULL,
            searched INTEGER NOT NULL,
            bar REAL NOT NULL
        )""",
        "CREATE INDEX watches_of_owner ON watches (space, owner)",
        # `stage` as in `types.watches.Stage`.
        """CREATE TABLE unjudged (
            link INTEGER PRIMARY KEY REFERENCES links ON DELETE CASCADE,
            stage INTEGER NOT NULL
        )""",
        # `link` is NULL when it was removed: then there is nothing to tell, and a message that was
        # sent still counts. `sent_at` is NULL until it was sent.
        """CREATE TABLE notices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            watch INTEGER NOT NULL REFERENCES watches ON DELETE CASCADE,
            link INTEGER REFERENCES links ON DELETE SET NULL,
            due REAL NOT NULL,
            sending TEXT NOT NULL,
            sent_at REAL,
            UNIQUE (watch, link)
        )""",
        "CREATE INDEX notices_of_link ON notices (link)",
        "CREATE INDEX notices_to_send ON notices (due) WHERE sent_at IS NULL",
    ):
        await db.execute(statement)


async def note_where_the_caller_presented_itself(db: aiosqlite.Connection) -> None:
    """The source in which the caller presented itself to a space."""
    await db.execute(
        """CREATE TABLE welcomes (
            space INTEGER PRIMARY KEY,
            group_id INTEGER NOT NULL,
            source TEXT NOT NULL,
            reading INTEGER NOT NULL
        )"""
    )


async def note_since_when_spaces_are_welcomed(db: aiosqlite.Connection) -> None:
    """The moment from which on the caller presents itself; 0: it always did.

    A file that was used before has no trace of spaces where nothing was kept. So all that the
    caller joined until now count as old ones. A file that was used has a model.
    """
    await db.execute("CREATE TABLE welcoming (since REAL NOT NULL)")
    await db.execute(
        "INSERT INTO welcoming SELECT iif(EXISTS (SELECT 1 FROM model), ?, 0)", (time.time(),)
    )


async def remember_when_owners_were_told(db: aiosqlite.Connection) -> None:
    """When a message of a watch was sent, which counts though the watch is removed."""
    await db.execute(
        "CREATE TABLE tellings (space INTEGER NOT NULL, owner INTEGER NOT NULL, at REAL NOT NULL)"
    )
    await db.execute("CREATE INDEX tellings_of_owner ON tellings (space, owner, at)")
    await db.execute(
        """INSERT INTO tellings SELECT space, owner, min(sent_at)
        FROM notices JOIN watches ON watches.id = notices.watch
        WHERE sent_at IS NOT NULL GROUP BY space, owner, sending"""
    )


async def find_what_a_space_has(db: aiosqlite.Connection) -> None:
    """Indexes of what a space or an owner has, and of the few rows that something is to be done
    with, where the rows of all spaces had to be read."""
    for statement in (
        "CREATE INDEX searches_of_owner ON searches (space, owner)",
        "CREATE INDEX jobs_of_space ON jobs (space)",
        "CREATE INDEX jobs_at_work ON jobs (id) WHERE status IN ('running', 'paused')",
        "CREATE INDEX groups_closed ON groups (space, id) WHERE closed_since IS NOT NULL",
        "CREATE INDEX not_copies_of_space ON not_copies (space, item, other)",
        "CREATE INDEX passes_of_space ON passes (space)",
        "CREATE INDEX watches_by_revision ON watches (revision) WHERE paused = ''",
    ):
        await db.execute(statement)


STEPS: tuple[Callable[[aiosqlite.Connection], Awaitable[None]], ...] = (
    create_items_and_links,
    note_which_rows_are_in_segments,
    keep_embeddings_by_a_second_model,
    keep_opt_outs_and_retention,
    save_searches_without_vectors,
    note_closed_groups,
    find_searches_by_age,
    keep_derivations,
    forget_who_asked_for_jobs,
    leave_out_up_to_a_moment,
    find_links_of_item_by_group,
    give_the_gallery_an_identity,
    keep_the_parts_of_saved_searches,
    keep_what_tells_copies,
    find_owners_of_groups,
    note_what_was_posted_before,
    keep_transcripts,
    keep_moments,
    forget_what_was_said_where_nothing_is_shown,
    find_notes_by_id,
    note_which_pictures_are_partial,
    keep_watches,
    note_where_the_caller_presented_itself,
    note_since_when_spaces_are_welcomed,
    remember_when_owners_were_told,
    find_what_a_space_has,
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
