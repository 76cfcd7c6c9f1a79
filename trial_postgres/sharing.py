"""One server for several processes: the first one starts it, and it ends with the last one.

Each process that uses it holds a lock on a file, which the system lets go when the process ends,
however it ends. A keeper, a process of its own, owns the server and waits until nobody holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from trial_postgres.binaries import Unavailable, installed
from trial_postgres.server import serve

STARTING, USERS = "starting", "users"  # files that are locked
URL, WHY_NOT = "url", "why_not"


@functools.cache
def shared(folder: Path) -> str:
    """The URL of the server of this folder, which runs at least as long as this process.

    raises   Unavailable
    """
    installed()
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / STARTING, fcntl.LOCK_EX):
        # Open, and locked, for as long as this process lives.
        _users.append((folder / USERS).open("w"))
        fcntl.flock(_users[-1], fcntl.LOCK_SH)
        if not (folder / URL).exists():
            _start_keeper(folder)
        return (folder / URL).read_text()


_users: list[IO[str]] = []


def _start_keeper(folder: Path) -> None:
    """Start the keeper and wait until its server answers: then it closes its output."""
    (folder / WHY_NOT).unlink(missing_ok=True)
    keeper = subprocess.Popen(
        [sys.executable, "-m", __name__, folder],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=Path(__file__).resolve().parent.parent, start_new_session=True,
    )  # fmt: skip
    assert keeper.stdout is not None
    said = keeper.stdout.read().decode(errors="replace")
    keeper.returncode = 0  # it isn't waited for: it outlives this process when others need it
    keeper.stdout.close()
    if not (folder / URL).exists():
        why = folder / WHY_NOT
        raise Unavailable(why.read_text() if why.exists() else f"its keeper ended: {said}")


def keep(folder: Path) -> None:
    """Run a server until no process uses it; `shared` starts this."""
    try:
        with serve() as server:
            part = folder / f"{URL}.part"
            part.touch(0o600)
            part.write_text(server.url)
            part.replace(folder / URL)
            _close_output()
            with _nobody(folder):
                (folder / URL).unlink()
    except Unavailable as exc:
        (folder / WHY_NOT).write_text(str(exc))


@contextlib.contextmanager
def _nobody(folder: Path) -> Iterator[None]:
    """Wait until nobody uses the server, and let nobody begin to until the end of the block."""
    while True:
        with _locked(folder / USERS, fcntl.LOCK_EX):
            pass
        with _locked(folder / STARTING, fcntl.LOCK_EX), contextlib.suppress(BlockingIOError):
            with _locked(folder / USERS, fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
            return


@contextlib.contextmanager
def _locked(file: Path, how: int) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, how)
        yield


def _close_output() -> None:
    """Let whoever reads the output see its end."""
    with open(os.devnull, "wb") as nowhere:
        for number in (1, 2):
            os.dup2(nowhere.fileno(), number)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
