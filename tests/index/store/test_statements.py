"""What the statements read that a gallery sends: for a question in one space no row of another, and
for an event no table as a whole.

Every statement is the one that was sent. It is run again by itself, and the engine tells what it
does: PostgreSQL by EXPLAIN ANALYZE how many rows of which table are read, SQLite how many steps of
its machine are taken. Both must stay as they are when a much larger space is gone.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image

from index import Asked, Cursor, Filter, Gallery, Group, Link, Note, Notice, Query, Sort, Watch
from index.store.postgres import PostgresStore, transaction
from index.store.postgres.dialect import statement
from index.store.sql import words
from index.store.sql.writes import TABLES_OF_A_SPACE
from index.store.sqlite import SQLiteStore
from index.types.address import is_address
from index.types.records import EmbeddedPicture, Settled
from tests.index.colours import ColourEmbedder, encoded

HERE, THERE = 1, 2
SPACES = (HERE, THERE, 3)  # the last one stays, so that the first one isn't the end of an index
SEEN = Filter(HERE, frozenset({10, 11}))
MANY = 2_000  # pictures of the other space
OWNER = 5
# Read in whole, they would be as many as there are spaces, pictures or questions.
LARGE = {
    *("items", "embeddings", "links", "groups", "hashes", "derived_fingerprint", "transcripts"),
    *("unread", "moments", "words", "searches", "watches", "notices", "notes", "jobs", "cursors"),
    *("watched", "left_out", "tellings", "not_copies", "passes", "touched", "space_versions"),
}


ABOUT_TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", ";")


@dataclass(frozen=True)
class Sent:
    """A statement that was sent to the database."""

    sql: str
    params: Sequence[Any] = ()

    @property
    def reads(self) -> bool:
        return self.sql.lstrip().upper().startswith(("SELECT", "WITH"))


@dataclass
class Log:
    """The statements that were sent; none is noted until `on`."""

    on: bool = False
    sent: list[Sent] = field(default_factory=list)

    def note(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Note a statement, if it is one of a gallery."""
        of_driver = sql.startswith(("--", *ABOUT_TRANSACTIONS)) or "pg_advisory_unlock_all" in sql
        if self.on and not of_driver:
            self.sent.append(Sent(sql, params))

    def of_question(self) -> list[Sent]:
        """What was noted since the last call."""
        sent, self.sent = self.sent, []
        return sent


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Has every statement of the galleries that are opened from now on."""
    log = Log()
    if find_spec("asyncpg") is None:
        return log
    import asyncpg

    create_pool, chunks = asyncpg.create_pool, transaction.Transaction.chunks

    def note(record: Any) -> None:
        many = isinstance(record.args, list)  # one statement for each of these
        log.note(record.query, record.args[0] if many else record.args)

    async def listen(connection: Any) -> None:
        connection.add_query_logger(note)

    def noted_chunks(db: transaction.Transaction, sql: str, *params: Any, size: int) -> Any:
        log.note(statement(sql), params)  # a cursor's statement is not told to a logger
        return chunks(db, sql, *params, size=size)

    def pool(*given: Any, **options: Any) -> Any:
        return create_pool(*given, **options, init=listen)

    monkeypatch.setattr(asyncpg, "create_pool", pool)
    monkeypatch.setattr(transaction.Transaction, "chunks", noted_chunks)
    return log


@pytest.fixture
async def gallery(place: str, embedder: ColourEmbedder, log: Log) -> AsyncIterator[Gallery]:
    filling = await Gallery.open(place, embedder)
    await _fill(filling)
    await filling.close()
    gallery = await Gallery.open(place, embedder)
    database: Any = gallery._store.database  # type: ignore[attr-defined]
    if isinstance(gallery._store, SQLiteStore):
        for one in (database._reader, database._patient_reader, database._writer):
            await one.set_trace_callback(log.note)
    yield gallery
    await gallery.close()


@pytest.fixture
def embedder() -> ColourEmbedder:
    return ColourEmbedder()


def _picture(number: int) -> bytes:
    """A picture that no other is like; every fifth one is an animation."""
    rng = np.random.default_rng(number)
    frames = [
        Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize((160, 120))
        for _ in range(1 + (number % 5 == 0))
    ]
    if len(frames) == 1:
        return encoded(frames[0])
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=900)


def _link(number: int, space: int) -> Link:
    group = Group(10 + number % 3) if number % 3 < 2 else Group(12, parent=10)
    return Link(
        *(space, group, str(number), "a", OWNER + number % 2, 1000.0 + number, f"{number}.gif"),
        spoiler=number % 7 == 0,
        details={"kind": "attachment"},
    )


async def _fill(gallery: Gallery) -> None:
    """Two spaces with something of each kind that a gallery keeps; many pictures are in both."""
    await gallery.transcripts.begin("r1")
    for number in range(12):
        data = _picture(number)
        for space in SPACES:
            await gallery.add(data, _link(number, space))
        if number % 2:
            key = (await gallery.embed_picture(data)).key
            read_in = None if number % 4 == 1 else {(HERE, 10), (HERE, 11)}
            await gallery.transcripts.put(key, "r1", [f"the wizard {number}"], read_in)
    await gallery.add(encoded(Image.open(_file(1)).rotate(90, expand=True)), _link(100, HERE))
    red = await gallery.embed_query(Query(text="red"))
    for space in SPACES:
        ids = [await _id(gallery, number, space) for number in range(4)]
        await _remember(gallery, space, ids, red)
    vectors = np.eye(3, dtype=np.float32)
    await gallery.commit(
        [
            (EmbeddedPicture(b"%32d" % number, "image", vectors[number % 3][None], 9, 9), link)
            for number in range(MANY)
            for link in (replace(_link(1000 + number, THERE), group=Group(50 + number % 40)),)
        ]
    )
    await gallery.add(_picture(300), _link(300, SPACES[-1]))
    await _bulk(gallery)


def _file(number: int) -> Any:
    import io

    return io.BytesIO(_picture(number))


async def _remember(gallery: Gallery, space: int, ids: Sequence[int], red: Any) -> None:
    book, watches = gallery.bookkeeping, gallery.watches
    await book.save_search(space, OWNER, Asked("red"), red)
    await book.set_retention(space, 36_500)
    await book.not_a_copy(space, ids[0], ids[1])
    await book.let_pass(space, 10, ids[0])
    await book.set_noted(space, 10, 4)
    await book.keep_note(Note(space, 10, "1", "2", f"note-{space}"))
    await book.new_job(space, "reindex", {})
    await book.watch(space, 10)
    await gallery.commit([], [Cursor(space, 10, 9, 1, False)])
    for owner in (OWNER, 6):
        await watches.add(Watch(0, space, owner, Asked("red"), None, {}, red, "1", 1.0))
    (watch, *_) = await watches.of_owner(space, OWNER)
    await watches.to_be_told([Notice(0, watch.id, link, due=1.0) for link in ids])
    await watches.sent(watch, "told", 1e9)


async def _bulk(gallery: Gallery) -> None:
    """More of what is quick to make: words in many pictures of the other space."""
    database: Any = gallery._store.database  # type: ignore[attr-defined]

    async def write(db: Any) -> None:
        await db.execute(
            """INSERT INTO transcripts (item, lines, stale) SELECT item, 'the wizard', 0 FROM links
            WHERE space = 2 AND NOT EXISTS (SELECT 1 FROM transcripts AS known
                WHERE known.item = links.item) AND id % 3 != 0"""
        )
        await db.execute(
            """INSERT INTO unread (link) SELECT id FROM links
            WHERE space = 2 AND id % 3 = 1 AND id NOT IN (SELECT link FROM unread)"""
        )
        await db.execute(
            f"""INSERT INTO watches (space, owner, asked, settings, revision, made_at, paused,
                searched, bar)
            SELECT 2, 100 + id, '{json.dumps(Asked("red").to_json())}', '{{}}', '1', 1, '', 0, 0
            FROM links WHERE space = 2 AND id > 40 LIMIT 600"""
        )
        await db.execute(
            """INSERT INTO not_copies (space, item, other) SELECT 2, one.item, other.item
            FROM links AS one JOIN links AS other ON other.id = one.id + 1
            WHERE one.space = 2 AND one.id > 40 AND other.space = 2 ON CONFLICT DO NOTHING"""
        )
        await db.execute(
            """INSERT INTO notices (watch, link, due, sending)
            SELECT watches.id, links.id, 1, '' FROM watches JOIN links ON links.space = 2
            WHERE watches.owner > 100 AND links.id BETWEEN 41 AND 46"""
        )
        read = await db.rows("SELECT id FROM links WHERE space = 2 AND id % 3 = 2 AND id > 40")
        await words.add(db, [id for (id,) in read])

    await database.write(write)
    if isinstance(gallery._store, PostgresStore):
        await database.execute("ANALYZE")


async def _id(gallery: Gallery, number: int, space: int = HERE) -> int:
    return (await gallery.links.ids_of_source(space, str(number)))["a"]


# ---- questions


def _asked(**filter: Any) -> Callable[[Gallery], Awaitable[object]]:
    """A question in words, with this filter."""

    async def ask(gallery: Gallery) -> object:
        query = Query(text="red wizard", minus=("blue",))
        return (await gallery.find(query, replace(SEEN, **filter), k=6, guesses=True)).hits

    return ask


async def _like(gallery: Gallery) -> object:
    like, more, less = [await _id(gallery, number) for number in (1, 3, 4)]
    query = Query(like=like, more=(more,), less=(less,))
    return (await gallery.find(query, SEEN, k=6, guesses=True)).hits


async def _listed(gallery: Gallery) -> object:
    nothing = await gallery.embed_query(Query())
    return (await gallery.search(nothing, SEEN, k=6, sort=Sort.OLDEST)).hits


async def _posted_before(gallery: Gallery) -> object:
    by_link = await gallery.copies_of(await _id(gallery, 1), SEEN)
    assert by_link
    return [*by_link, *await gallery.copies_of(_picture(3), Filter(HERE))]


async def _whole(gallery: Gallery) -> object:
    await gallery.overview(SEEN)
    links = await gallery.order(SEEN)
    return [links, await gallery.concepts_of(links[:3])]


async def _links(gallery: Gallery) -> object:
    links, ids = gallery.links, [await _id(gallery, number) for number in range(6)]
    return [
        await links.with_ids(HERE, ids),
        await links.stills(dict.fromkeys(ids, 1)),
        await links.seconds(dict.fromkeys(ids, 0)),
        await links.frame_counts(ids),
        await links.copies(ids, SEEN),
        await links.exact_copies(ids[1], SEEN),
        await links.items(ids),
        await links.groups(HERE),
        await links.known(HERE, 10),
        await links.details(HERE, 10),
        await links.outlines(HERE),
        await links.partial_slots(HERE, "1"),
        await links.count(HERE),
        await links.count(HERE, [10]),
        await links.count_links(HERE, [10, 11]),
        await links.count_of_owner(HERE, OWNER),
        await links.owners(HERE, [10, 11]),
        await links.belongings(HERE, OWNER),
        await gallery.slots_pending(HERE, "1"),
        await gallery.sources_pending(HERE),
    ]


async def _words(gallery: Gallery) -> object:
    kept, ids = gallery.transcripts, [await _id(gallery, number) for number in range(6)]
    return [
        await kept.mentions(["wizard", "the wizard"], SEEN),
        await kept.of_links(ids),
        await kept.count_pending(HERE),
        await kept.count_unread(SEEN),
        await kept.count_unread(Filter(HERE), or_stale=True),
    ]


async def _remembered(gallery: Gallery) -> object:
    book, ids = gallery.bookkeeping, [await _id(gallery, number) for number in range(6)]
    (search,) = await book.searches_of(HERE, OWNER)
    return [
        await book.search_by_id(search.id),
        await book.days_kept(HERE),
        await book.watched(HERE),
        await book.cursors(HERE),
        await book.jobs(HERE),
        await book.jobs(HERE, active=False),
        await book.not_copies_of(ids[0]),
        await book.passing(HERE, 10, ids),
        await book.notes_with_id("note-1"),
    ]


async def _watches(gallery: Gallery) -> object:
    watches, ids = gallery.watches, [await _id(gallery, number) for number in range(6)]
    (watch,) = await watches.of_owner(HERE, OWNER)
    return [
        await watches.get(watch.id),
        await watches.count(HERE),
        await watches.active(HERE),
        await watches.pending_of(HERE, OWNER),
        await watches.sent_since(HERE, OWNER, 0.0),
        await watches.told(watch.id, ids),
    ]


QUESTIONS: dict[str, Callable[[Gallery], Awaitable[object]]] = {
    "words": _asked(),
    "exact words": _asked(says=("the wizard",)),
    "traits": _asked(has=frozenset({"gif", "file"}), has_not=frozenset({"spoiler"})),
    "a whole space": _asked(groups=None, owners=frozenset({OWNER}), since=1001.0),
    "but not a message": _asked(but_not_source="3"),
    "like a picture": _like,
    "a list": _listed,
    "posted before": _posted_before,
    "all at once": _whole,
    "links": _links,
    "words in pictures": _words,
    "bookkeeping": _remembered,
    "watches": _watches,
}


async def test_a_question_in_one_space_reads_no_row_of_another(
    gallery: Gallery, place: str, log: Log
) -> None:
    asked: list[tuple[str, Sent]] = []
    for name, ask in QUESTIONS.items():
        log.on = True
        assert await ask(gallery), name
        log.on = False
        sent = [one for one in log.of_question() if one.reads]
        asked += [(name, one) for one in sent]
    assert len(asked) > 60
    costs = _costs_in_postgres if is_address(place) else _costs_in_sqlite
    statements = [one for _, one in asked]
    with_others = await costs(place, statements)
    alone = await costs(place, statements, GONE)
    crossing = [
        f"{name}: {sent.sql} {sent.params}\n{many} with others, {few} without"
        for (name, sent), many, few in zip(asked, with_others, alone, strict=True)
        if many != few
    ]
    assert not crossing, "\n\n".join(crossing)


GONE = (
    f"DELETE FROM notices WHERE watch IN (SELECT id FROM watches WHERE space = {THERE})",
    f"DELETE FROM links WHERE space = {THERE}",
    f"DELETE FROM groups WHERE space = {THERE}",
    *(f"DELETE FROM {table} WHERE space = {THERE}" for table in TABLES_OF_A_SPACE),
    "DELETE FROM items WHERE NOT EXISTS (SELECT 1 FROM links WHERE links.item = items.id)",
)


async def test_links_that_are_named_are_not_looked_for_among_all_of_their_space(
    gallery: Gallery, place: str, log: Log
) -> None:
    """As each question names its hits, and a start the links that were touched."""
    links, ids = gallery.links, [await _id(gallery, number, THERE) for number in range(6)]
    if isinstance(gallery._store, SQLiteStore):
        await gallery._store.rows.settle(Settled(("a.segment",), 10**9))
    log.on = True
    assert await links.with_ids(THERE, ids)
    assert await links.items(ids)
    assert await links.copies(ids, Filter(THERE, frozenset({10, 11})))
    assert await links.seconds(dict.fromkeys(ids, 0))
    assert await links.frame_counts(ids)
    assert await gallery.bookkeeping.passing(THERE, 10, ids)
    if isinstance(gallery._store, SQLiteStore):
        assert await gallery._store.rows.settled()
    log.on = False
    sent = log.of_question()
    costs = _costs_in_postgres if is_address(place) else _costs_in_sqlite
    others = f"DELETE FROM links WHERE space = {THERE} AND group_id >= 50"
    with_others, alone = await costs(place, sent), await costs(place, sent, [others])
    for one, many, few in zip(sent, with_others, alone, strict=True):
        assert many == few, one


async def _costs_in_sqlite(
    place: str, sent: Sequence[Sent], first: Sequence[str] = ()
) -> list[object]:
    """How many steps each statement takes after these `first` ones, and what it gives."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    costs: list[object] = []
    with closing(sqlite3.connect(place, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("SELECT * FROM items, groups LIMIT 1").fetchall()  # it reads the schema first
        db.execute("BEGIN")
        for before in first:
            db.execute(before)
        for one in sent:
            steps = 0
            db.set_progress_handler(step, 1)
            rows = db.execute(one.sql).fetchall()
            db.set_progress_handler(None, 1)
            costs.append((steps, len(rows)))
        db.execute("ROLLBACK")
    return costs


# With these, PostgreSQL takes an index wherever one serves, though a table is small.
BY_INDEX = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")


async def _costs_in_postgres(
    place: str, sent: Sequence[Sent], first: Sequence[str] = ()
) -> list[object]:
    """How many rows each statement reads of each table after these `first` ones, those among them
    that it then leaves out, and how many it gives."""
    import asyncpg

    costs: list[object] = []
    db = await asyncpg.connect(place)
    try:
        for setting in BY_INDEX:
            await db.execute(f"SET {setting} = off")
        transaction = db.transaction()
        await transaction.start()
        for before in first:
            await db.execute(before)
        for one in sent:
            plan = await db.fetchval(
                f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON) {one.sql}", *one.params
            )
            (told,) = json.loads(plan)
            read = Counter[str]()
            _count(told["Plan"], read)
            costs.append((dict(read), told["Plan"]["Actual Rows"]))
        await transaction.rollback()
    finally:
        await db.close()
    return costs


def _count(node: dict[str, Any], read: Counter[str]) -> None:
    """Add the rows that a node of a plan, and those below it, read of tables."""
    removed = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
    if "Relation Name" in node:
        read[node["Relation Name"]] += (node["Actual Rows"] + removed) * node["Actual Loops"]
    for below in node.get("Plans", ()):
        _count(below, read)


# ---- events


async def _posted(gallery: Gallery) -> None:
    new = await gallery.embed_picture(_picture(200), _link(200, HERE))
    again = await gallery.embed_picture(_picture(2), _link(201, HERE))
    await gallery.commit(
        [(new, _link(200, HERE)), (again, _link(201, HERE))],
        [Cursor(HERE, 10, 99, 1, False)],
        new=True,
    )
    await gallery.transcripts.put(new.key, "r1", ["the wizard"], {(HERE, 10)})


async def _judged(gallery: Gallery) -> None:
    await gallery.watching.outdated()
    watches = gallery.watches
    await watches.drop_unjudged(0.0)
    (one, *_) = await watches.unjudged(limit=9)
    await gallery.watching.judging(one)
    (watch,) = await watches.of_owner(HERE, OWNER)
    await watches.judged(one, [Notice(0, watch.id, one.link, 1.0)], await_words=True)
    await watches.compared(watch.id, 9, 0.5)


async def _told(gallery: Gallery) -> None:
    watches = gallery.watches
    await watches.next_due()
    due = await watches.due(2.0)
    (watch,) = await watches.of_owner(HERE, OWNER)
    await watches.sending([one.id for one in due[watch.id]], "message")
    await watches.begun()
    await watches.sent(watch, "message", 1e9)


async def _erased(gallery: Gallery) -> None:
    await gallery.keep_slots(HERE, "200", [])
    await gallery.remove_sources(HERE, ["201", "5"])
    await gallery.leave_out(HERE, 6, 1e9)
    await gallery.remove_older(HERE, 1001.0)
    await gallery.remove_group(HERE, 11)


async def _chosen(gallery: Gallery) -> None:
    book, ids = gallery.bookkeeping, [await _id(gallery, number) for number in (3, 9)]
    await book.save_search(HERE, OWNER, Asked("red"), None)
    await book.not_a_copy(HERE, *ids)
    await book.a_copy_after_all(HERE, *ids)
    await book.let_pass(HERE, 10, ids[0])
    await book.let_pass_no_more(HERE, 10, ids[0])
    await book.close_group(HERE, 10, 1.0)
    await book.closed_groups()
    await book.open_group(HERE, 10)
    await gallery.transcripts.redo(HERE, [10])


async def _left(gallery: Gallery) -> None:
    await gallery.remove_space(HERE)


EVENTS = (_posted, _judged, _told, _chosen, _erased, _left)


async def test_no_event_reads_a_large_table_as_a_whole(
    gallery: Gallery, place: str, log: Log
) -> None:
    for event in EVENTS:
        log.on = True
        await event(gallery)
        log.on = False
        sent = log.of_question()
        assert sent, event
        scans = _scans_in_postgres if is_address(place) else _scans_in_sqlite
        for one in sent:
            assert await scans(place, one) & LARGE == set(), (event, one)


async def _scans_in_sqlite(place: str, one: Sent) -> set[str]:
    with closing(sqlite3.connect(place)) as db:
        steps = [row[3].split() for row in db.execute(f"EXPLAIN QUERY PLAN {one.sql}")]
    by_condition = ("notices_to_send", "jobs_at_work", "groups_closed", "watches_by_revision")
    return {step[1] for step in steps if step[0] == "SCAN" and not set(by_condition) & set(step)}


async def _scans_in_postgres(place: str, one: Sent) -> set[str]:
    import asyncpg

    db = await asyncpg.connect(place)
    try:
        for setting in BY_INDEX:
            await db.execute(f"SET {setting} = off")
        plan = await db.fetchval(f"EXPLAIN (FORMAT JSON) {one.sql}", *one.params)
    finally:
        await db.close()
    return _scanned(json.loads(plan)[0]["Plan"])


def _scanned(node: dict[str, Any]) -> set[str]:
    found = {node["Relation Name"]} if node["Node Type"] == "Seq Scan" else set()
    return found.union(*map(_scanned, node.get("Plans", ())))
