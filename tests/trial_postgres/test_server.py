"""A PostgreSQL for trials starts without a service, comes back, and leaves nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import trial_postgres
from tests.postgres import on_server
from trial_postgres import binaries

ROOT = Path(__file__).resolve().parent.parent.parent
USE = """
import sys
from pathlib import Path
import trial_postgres
print(trial_postgres.shared(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""

pytest.importorskip("asyncpg")
try:
    binaries.installed()
except trial_postgres.Unavailable as exc:
    pytest.skip(str(exc), allow_module_level=True)


def user_of(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USE, folder],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


async def test_a_killed_server_comes_back_with_what_was_committed() -> None:
    with trial_postgres.serve() as server:
        await on_server(server.url, "CREATE EXTENSION vector")
        await on_server(server.url, "CREATE TABLE kept AS SELECT '[1,2]'::vector AS v")
        server.kill()
        with pytest.raises(OSError, match="Connect"):
            await on_server(server.url, "SELECT 1")
        server.start()
        assert await on_server(server.url, "SELECT v::text FROM kept") == [("[1,2]",)]
        folder = server._folder
    assert not folder.exists()


def test_a_kept_server_has_what_was_committed_and_its_password_the_next_time() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        kept = Path(name) / "kept"
        killed = trial_postgres.Server(kept=kept)  # whose process ends without a word
        killed.start()
        asyncio.run(on_server(killed.url, "CREATE TABLE kept AS SELECT 1 AS one"))
        with trial_postgres.serve(kept=kept) as server:
            assert killed._process is not None
            assert killed._process.wait(20) == 0
            assert asyncio.run(on_server(server.url, "SELECT one FROM kept")) == [(1,)]
            assert (kept / "password").stat().st_mode & 0o777 == 0o600
        assert not (kept / "data" / "postmaster.pid").exists()


async def test_processes_share_a_server_that_ends_with_the_last_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    first, second = user_of(folder), user_of(folder)
    assert first.stdout is not None
    assert second.stdout is not None
    url = first.stdout.readline().strip()
    assert second.stdout.readline().strip() == url
    first.kill()
    first.communicate()
    assert await on_server(url, "SELECT 1") == [(1,)]
    second.communicate()
    while (folder / "url").exists():  # noqa: ASYNC110 (another process takes it away)
        await asyncio.sleep(0.02)
    third = user_of(folder)
    assert third.stdout is not None
    assert third.stdout.readline().strip() != url
    third.communicate()


def test_binaries_in_a_folder_that_nobody_can_enter_are_copied(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    shutil.copytree(binaries.installed(), closed / "pginstall", symlinks=True)
    closed.chmod(0o700)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        found = binaries.runnable(closed / "pginstall", folder)
        copied = os.geteuid() == 0  # only root runs the server as another user
        assert found == (folder / "installed" if copied else closed / "pginstall")
