"""What a gallery in PostgreSQL says of a wrong address or server, and what it gets over."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest

import trial_postgres
from index.store.opening import open_store
from index.store.postgres import connections
from index.store.postgres.database import Database
from index.store.sql.database import Transaction
from index.types.errors import StoreError, StoreFull, StoreTooNew, StoreUnreachable
from tests import postgres


async def _refusal(url: str) -> str:
    """What is said when this database is opened, which must fail."""
    with pytest.raises(StoreError) as caught:
        await open_store(url, derivations=())
    said = str(caught.value)
    password = urlsplit(url).password
    assert not password or password not in said
    return said


async def test_a_wrong_password_is_said_without_the_password(postgres_url: str) -> None:
    password = urlsplit(postgres_url).password
    assert password is not None
    said = await _refusal(postgres_url.replace(password, "not-the-secret"))
    assert "refuses this user or password" in said


async def test_a_database_that_is_not_there_is_said(postgres_url: str) -> None:
    said = await _refusal(postgres.with_database(postgres_url, "nowhere"))
    assert "no database of this name" in said


async def test_an_unknown_host_is_said(postgres_url: str) -> None:
    host = "127.0.0.1"
    said = await _refusal(postgres_url.replace(host, "nowhere.invalid"))
    assert "nowhere.invalid" in said
    assert "can't be opened" in said


async def test_a_server_that_is_too_old_is_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "OLDEST", 99)
    assert "needs 99 or newer" in await _refusal(postgres_url)


async def test_a_missing_package_is_said(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    assert "pip install 'magpie[postgres]'" in await _refusal(postgres_url)


async def test_a_newer_magpies_database_is_refused(postgres_url: str) -> None:
    await (await Database.open(postgres_url)).close()
    await postgres.on_server(postgres_url, "UPDATE magpie_schema SET version = version + 1")
    said = await _refusal(postgres_url)
    assert "newer Magpie" in said
    assert "pg_restore" in said
    assert "magpie restore" not in said


async def test_an_older_magpie_that_still_runs_stops_writing(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    try:
        await postgres.on_server(postgres_url, "UPDATE magpie_schema SET version = version + 1")
        with pytest.raises(StoreTooNew):
            await database.execute("DELETE FROM items")
    finally:
        await database.close()


async def test_a_user_who_may_make_no_tables_is_told(bare_postgres_url: str) -> None:
    user = f"reader_{secrets.token_hex(4)}"
    await postgres.on_server(bare_postgres_url, f"CREATE ROLE {user} LOGIN PASSWORD 'pass'")
    try:
        await postgres.on_server(bare_postgres_url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        parts = urlsplit(bare_postgres_url)
        there = f"{user}:pass@{parts.hostname}:{parts.port}"
        said = await _refusal(parts._replace(netloc=there).geturl())
        assert "has not the right" in said
        assert "docs/postgres.md" in said
    finally:
        await postgres.on_server(bare_postgres_url, f"DROP ROLE {user}")


async def test_a_full_disk_is_said_and_nothing_of_the_step_is_kept(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    try:
        # The server's own error, as its disk manager raises it.
        await postgres.on_server(
            postgres_url,
            """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'could not extend file: No space left on device'
            USING ERRCODE = '53100'; END $$""",
        )
        await postgres.on_server(
            postgres_url,
            "CREATE TRIGGER full_disk BEFORE INSERT ON items EXECUTE FUNCTION full_disk()",
        )

        async def write(db: Transaction) -> None:
            await db.execute("INSERT INTO watched (space, group_id) VALUES (1, 2)")
            await db.execute(
                "INSERT INTO items (key, kind, width, height) VALUES (?, 'image', 1, 1)", b"key"
            )

        with pytest.raises(StoreFull, match="disk space on its server"):
            await database.write(write)
        assert await database.rows("SELECT * FROM watched") == []
        await postgres.on_server(postgres_url, "DROP TRIGGER full_disk ON items")
        await database.write(write)
        assert await database.rows("SELECT count(*) FROM watched") == [(1,)]
    finally:
        await database.close()


async def test_several_that_start_at_once_make_the_tables_once(bare_postgres_url: str) -> None:
    opened = await asyncio.gather(*(Database.open(bare_postgres_url) for _ in range(4)))
    for database in opened:
        await database.close()
    ((count,),) = await postgres.on_server(bare_postgres_url, "SELECT count(*) FROM magpie_schema")
    assert count == 1


async def test_a_dry_pool_ends_in_words(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS", 1)
    monkeypatch.setattr(connections, "WAIT_S", 0.2)
    database = await Database.open(postgres_url)
    held, done = asyncio.Event(), asyncio.Event()

    async def hold(_: Transaction) -> None:
        held.set()
        await done.wait()

    holding = asyncio.create_task(database.write(hold))
    try:
        await held.wait()
        with pytest.raises(StoreUnreachable, match="all connections to it are in use"):
            await database.rows("SELECT 1")
    finally:
        done.set()
        await holding
        await database.close()


@pytest.fixture
def own_server() -> Iterator[trial_postgres.Server]:
    """A server that a test may kill."""
    pytest.importorskip("asyncpg")
    try:
        with trial_postgres.serve() as server:
            yield server
    except trial_postgres.Unavailable as exc:
        pytest.skip(f"no PostgreSQL: {exc}")


@pytest.mark.slow
async def test_a_server_that_was_gone_is_found_again(own_server: trial_postgres.Server) -> None:
    database = await Database.open(own_server.url)
    try:
        killed = False

        async def write(db: Transaction) -> None:
            nonlocal killed
            await db.execute(
                "INSERT INTO items (key, kind, width, height) VALUES (?, 'image', 1, 1)", b"key"
            )
            if not killed:
                killed = True
                await asyncio.to_thread(own_server.kill)
                await asyncio.to_thread(own_server.start)

        await database.write(write)
        assert await database.rows("SELECT count(*) FROM items") == [(1,)]
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _cut_at_commit(url: str, *, arrives: bool) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of the same server over a wire that is cut once, at the first commit after the
    event is set.

    arrives   whether the server still gets the commit, of which the client then hears nothing
    """
    parts, due, cut = urlsplit(url), asyncio.Event(), asyncio.Event()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server_reader, to_server = await asyncio.open_connection(parts.hostname, parts.port)

        async def requests() -> None:
            while data := await reader.read(65_536):
                if b"COMMIT" in data and due.is_set() and not cut.is_set():
                    cut.set()
                    if arrives:
                        to_server.write(data)
                        await to_server.drain()
                    writer.transport.abort()
                    break
                to_server.write(data)
            to_server.close()

        async def answers() -> None:
            while data := await to_server_reader.read(65_536):
                if not writer.transport.is_closing():
                    writer.write(data)
            writer.close()

        with contextlib.suppress(OSError):
            await asyncio.gather(requests(), answers())

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        there = parts.netloc.replace(f":{parts.port}", f":{port}")
        yield parts._replace(netloc=there).geturl(), due
        assert cut.is_set()
    finally:
        server.close()


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_write_is_made_once_though_its_commit_is_not_answered(
    postgres_url: str, *, arrives: bool
) -> None:
    async with _cut_at_commit(postgres_url, arrives=arrives) as (url, due):
        database = await Database.open(url)
        due.set()

        async def write(db: Transaction) -> int:
            ((id,),) = await db.rows(
                "INSERT INTO jobs (space, kind, status, state) VALUES (1, 'k', 'running', '{}')"
                " RETURNING id"
            )
            return int(id)

        id = await database.write(write)
        assert await database.rows("SELECT id FROM jobs") == [(id,)]
        await database.close()
