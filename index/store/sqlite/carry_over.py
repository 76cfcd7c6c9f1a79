"""What was decided since a copy was made, and holds after the copy is restored.

Opt-outs, retention, removed channels and deletions are taken from the gallery that is replaced. A
restore must not bring back what somebody erased.

The replaced gallery may be another one than the copy is of. Then what it lacks proves nothing, but
for messages that its cursors say were read: who opted out in either of them is out. Of a damaged
one, only what can be read is taken.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

import aiosqlite

from index.store.sql import statements
from index.store.sqlite import connections
from index.store.sqlite.settled import put_settled
from index.store.sqlite.transaction import Transaction

log = logging.getLogger(__name__)

# Tables of what was decided, as people call it.
DECISIONS = {
    "left_out": "opt-outs and what members erased",
    "retention": "retention",
    "watched": "watched channels",
    "departed": "servers that were left",
    "not_copies": "pictures that were called no copies",
    "noted_groups": "channels with notes on reposts",
    "passes": "pictures that pass without such a note",
    "notes": "which notes were written",
    "watches": "watches",
    "welcomes": "servers that were welcomed",
}
# How a row that both galleries have is merged. Of other tables, the present one's row counts.
MERGED = {"left_out": "ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)"}
# How a table is taken from a gallery of an earlier version, which has another one instead.
EARLIER = {
    "left_out": """INSERT OR REPLACE INTO main.left_out
        SELECT space, owner, 9e999 FROM present.opted_out"""
}
# How a table is taken whose rows name items, which have other numbers in another gallery.
BY_ITEMS = {
    "not_copies": """INSERT OR IGNORE INTO main.not_copies SELECT said.space, item.id, other.id
        FROM present.not_copies AS said
        JOIN present.items AS one ON one.id = said.item JOIN main.items AS item USING (key)
        JOIN present.items AS another ON another.id = said.other
        JOIN main.items AS other ON other.key = another.key""",
    "passes": """INSERT OR IGNORE INTO main.passes SELECT said.space, said.group_id, item.id
        FROM present.passes AS said JOIN present.items AS one ON one.id = said.item
        JOIN main.items AS item USING (key)""",
}
# Links that a decision forbids. `permitted` refuses the same ones when they are added.
FORBIDDEN = (
    """EXISTS (SELECT 1 FROM left_out WHERE left_out.space = links.space
        AND left_out.owner = links.owner AND links.posted_at <= left_out.upto)""",
    """posted_at < (SELECT strftime('%s', 'now') - days * 86400 FROM retention
        WHERE retention.space = links.space)""",
)
# The same, of what a member asked: in `searches` or `watches`.
FORBIDDEN_QUESTIONS = """EXISTS (SELECT 1 FROM left_out WHERE left_out.space = {0}.space
    AND left_out.owner = {0}.owner AND {0}.made_at <= left_out.upto)"""
# A cursor says that a group's messages in (oldest, newest] were read. So a link to one of them that
# is missing was deleted.
DELETED = """EXISTS (SELECT 1 FROM present.cursors AS read
        WHERE read.space = links.space AND read.group_id = links.group_id
        AND CAST(links.source AS INTEGER) <= read.newest
        AND (read.complete OR CAST(links.source AS INTEGER) > read.oldest))
    AND NOT EXISTS (SELECT 1 FROM present.links AS kept WHERE kept.space = links.space
        AND kept.source = links.source AND kept.slot = links.slot)"""
# A group's cursor goes only when the group is erased as a whole, with the groups that hang from it.
ERASED = """SELECT space, group_id FROM main.cursors
    EXCEPT SELECT space, group_id FROM present.cursors"""
IN_ERASED_GROUPS = f"""(space, group_id) IN ({ERASED}) OR (space, group_id) IN (
        SELECT space, id FROM main.groups WHERE (space, parent) IN ({ERASED}))"""
# Groups that were erased since, and whose history is being read again, newest first. The present
# gallery can't tell yet what was deleted of the rest, so the rest comes from reading it.
READ_AGAIN = """SELECT copied.space, copied.group_id, now.oldest AS read_down_to
    FROM main.cursors AS copied JOIN present.cursors AS now USING (space, group_id)
    WHERE NOT now.complete AND (copied.complete OR copied.oldest < now.oldest)"""
YET_TO_BE_READ = f"""EXISTS (SELECT 1 FROM ({READ_AGAIN}) AS again
        WHERE again.space = links.space AND again.group_id = links.group_id
        AND CAST(links.source AS INTEGER) <= read_down_to)"""
# What people ordered of a job: to pause, to go on, or to end. The copy alone says how far the job
# came: what it made since isn't in the copy, so it must be made again.
ORDERED = """UPDATE jobs SET status = now.status FROM present.jobs AS now
    WHERE now.id = jobs.id AND jobs.status IN ('running', 'paused')
    AND now.status IN ('running', 'paused', 'cancelled')"""
# The greatest id that either gallery has given, by table.
GIVEN_IDS = """SELECT name, max(seq) FROM (
        SELECT name, seq FROM main.sqlite_sequence
        UNION ALL SELECT name, seq FROM present.sqlite_sequence)
    WHERE name IN (SELECT name FROM main.sqlite_schema) GROUP BY name"""
# What people call the rest of what is carried over.
ERASURES = "deletions"


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What of the replaced gallery holds in the restored one.

    dropped   how many links of the copy were not taken: they were erased since, or are forbidden
    another   the copy is of another gallery
    unread    what could not be read in the replaced gallery, and may be forgotten
    """

    dropped: int = 0
    another: bool = False
    unread: tuple[str, ...] = ()


async def carry_over(present: Path | None, restored: Path) -> CarriedOver:
    """Bring a restored gallery to the newest shape, with what was decided in the present one.

    present   the gallery that it replaces; None: there is none
    raises    StoreCorrupt, sqlite3.Error when the restored gallery can't be written
    """
    db = await connections.open_writer(restored)
    try:
        await put_settled(db, None)  # no segment file is of it
        before = await _count_links(db)
        carried = await _carried(db, present) if present else CarriedOver()
        for forbidden in FORBIDDEN:
            await statements.drop_links(Transaction(db), forbidden)
        for table in ("searches", "watches"):
            await db.execute(f"DELETE FROM {table} WHERE {FORBIDDEN_QUESTIONS.format(table)}")
        # What was to be told when the copy was made may have been told since.
        await db.execute("DELETE FROM notices WHERE sent_at IS NULL")
        await db.execute("DELETE FROM unjudged")
        await db.execute("DELETE FROM tellings")  # who had theirs erased since isn't known
        if present is None or carried.another or carried.unread:
            # It isn't the gallery any more whose decisions it doesn't know.
            await db.execute("UPDATE identity SET id = randomblob(16)")
        dropped = before - await _count_links(db)
        await db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        return replace(carried, dropped=dropped)
    finally:
        await db.close()


async def _carried(db: aiosqlite.Connection, present: Path) -> CarriedOver:
    """Take over what a present gallery decided, as far as it can be read."""
    try:
        await db.execute("ATTACH ? AS present", (f"{present.as_uri()}?mode=rw",))
        ((verdict,),) = await db.execute_fetchall("PRAGMA present.quick_check(1)")
        schema = await db.execute_fetchall("SELECT name FROM present.sqlite_schema")
    except sqlite3.Error as exc:
        log.info("the replaced gallery can't be read: %s", exc)
        return CarriedOver(unread=(*DECISIONS.values(), ERASURES))
    whole, same = verdict == "ok", await _is_same(db)
    tables = {name for (name,) in schema}
    if "links" not in tables:  # an empty file, or another program's
        return CarriedOver(another=True)
    unread = []
    for table, name in DECISIONS.items():
        if table in tables or table in EARLIER:
            try:
                if table in BY_ITEMS:
                    if whole and same:
                        await db.execute(f"DELETE FROM main.{table}")
                    await db.execute(BY_ITEMS[table])
                    await statements.drop_said(Transaction(db))
                elif table in tables:
                    await _take(db, table, exactly=whole and same)
                else:
                    await db.execute(EARLIER[table])
            except sqlite3.DatabaseError as exc:
                log.info("%s of the replaced gallery can't be read: %s", table, exc)
                unread.append(name)
    await _give_no_id_twice(db)
    if not whole:
        unread.append(ERASURES)
    else:
        await statements.drop_links(Transaction(db), DELETED)
        if same:
            await _follow_erasures(db)
    return CarriedOver(another=not same, unread=tuple(unread))


async def _is_same(db: aiosqlite.Connection) -> bool:
    """Whether the restored gallery is a copy of the present one, made at any time."""
    try:
        return bool(
            await db.execute_fetchall(
                "SELECT 1 FROM main.identity JOIN present.identity USING (id)"
            )
        )
    except sqlite3.DatabaseError:  # damaged, or written by an older Magpie
        return False


async def _take(db: aiosqlite.Connection, table: str, *, exactly: bool) -> None:
    """Take over the rows of a table; `exactly`: and drop those that the present gallery lacks."""
    info = list(await db.execute_fetchall(f"PRAGMA present.table_info({table})"))
    columns = ", ".join(column for _, column, *_ in info)
    taken = await db.execute_fetchall(f"SELECT {columns} FROM present.{table}")
    if exactly:
        await db.execute(f"DELETE FROM main.{table}")
    insert, conflict = "INSERT", MERGED.get(table, "")
    if not conflict:
        insert = "INSERT OR REPLACE"
    marks = ", ".join("?" * len(info))
    await db.executemany(
        f"{insert} INTO main.{table} ({columns}) VALUES ({marks}) {conflict}", taken
    )


async def _give_no_id_twice(db: aiosqlite.Connection) -> None:
    """Number new links and jobs after those of the present gallery, too. A button of an old answer
    names a link by its id, and must not open another one."""
    try:
        given = await db.execute_fetchall(GIVEN_IDS)
    except sqlite3.DatabaseError as exc:
        log.info("the ids of the replaced gallery can't be read: %s", exc)
        return
    await db.execute("DELETE FROM main.sqlite_sequence")
    await db.executemany("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", given)


async def _follow_erasures(db: aiosqlite.Connection) -> None:
    """Drop what was erased as a whole since: groups, questions, and work that was ended."""
    await statements.drop_links(Transaction(db), IN_ERASED_GROUPS)
    await db.execute(f"DELETE FROM cursors WHERE {IN_ERASED_GROUPS}")
    await statements.drop_links(Transaction(db), YET_TO_BE_READ)
    await db.execute(
        f"""UPDATE cursors
        SET newest = max(newest, read_down_to), oldest = read_down_to, complete = 0
        FROM ({READ_AGAIN}) AS again
        WHERE again.space = cursors.space AND again.group_id = cursors.group_id"""
    )
    await db.execute("DELETE FROM searches WHERE id NOT IN (SELECT id FROM present.searches)")
    await db.execute("DELETE FROM jobs WHERE id NOT IN (SELECT id FROM present.jobs)")
    await db.execute(ORDERED)
    await db.execute(
        """UPDATE groups SET closed_since = now.closed_since FROM present.groups AS now
        WHERE now.space = groups.space AND now.id = groups.id"""
    )


async def _count_links(db: aiosqlite.Connection) -> int:
    ((count,),) = await db.execute_fetchall("SELECT COUNT(*) FROM links")
    return int(count)
