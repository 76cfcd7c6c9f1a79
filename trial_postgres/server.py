"""One PostgreSQL server, in a temporary folder or in one that stays."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from trial_postgres import binaries
from trial_postgres.binaries import Unavailable

USER = "magpie"
PASSWORD = "password"  # a file
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
# Another process may take the free port first; then the next one is tried.
PORTS_TRIED = 5
# What is committed outlives a crash of the server but not one of the machine, and is quicker so.
# Statistics are made only when they are asked for, and never between two looks at the same plan.
QUICK = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class Server:
    """A server that was made and not started yet.

    url      of its database `postgres`, with the password
    options  settings of the server, as postgresql.conf has them
    lasting  whether what is committed waits for the disk, as on a real server
    kept     a folder in which everything stays for the next time, the password too; None: a
             temporary one. Only one process may use it
    """

    def __init__(
        self,
        options: dict[str, str] | None = None,
        *,
        lasting: bool = False,
        kept: Path | None = None,
    ) -> None:
        self._options = {**({} if lasting else QUICK), **(options or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._stays = kept is not None
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
        self._folder = (kept or Path(tempfile.mkdtemp(prefix="magpie-postgres-"))).resolve()
        try:
            self._folder.chmod(0o711)
            binaries.require_entry(self._folder)
            self._bin = binaries.runnable(binaries.installed(), self._folder) / "bin"
            self._data = self._folder / "data"
            if self._data.exists():
                self._password = (self._folder / PASSWORD).read_text()
                self._end_earlier()
            else:
                self._make_cluster()
        except BaseException:
            self.remove()
            raise

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    @property
    def log(self) -> str:
        """What the server has written."""
        return (self._folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it answers; after a stop, on the same port.

        raises   Unavailable
        """
        for _ in range(1 if self._port else PORTS_TRIED):
            port = self._port or _free_port()
            if self._started(port):
                self._port = port
                return
        raise Unavailable(f"PostgreSQL did not start; it wrote: {self.log[-2000:]}")

    def stop(self) -> None:
        """End its connections and stop it."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Let it go at once, as in a crash: it recovers when it is started again."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop it and remove its folder, unless that stays."""
        self.stop()
        if not self._stays:
            shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, program: str, *arguments: str) -> str:
        """What one of PostgreSQL's programs prints, such as pg_dump. raises CalledProcessError"""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [self._bin / program, *arguments], check=True, capture_output=True, text=True,
            cwd=self._folder, env=_environment(), **binaries.as_user(),
        )  # fmt: skip
        return done.stdout

    def _make_cluster(self) -> None:
        """Make the data's folder, and have it only when it is whole."""
        self._password = secrets.token_urlsafe(24)
        part, password = self._folder / "data.part", self._folder / PASSWORD
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        password.unlink(missing_ok=True)
        password.touch(0o600)
        password.write_text(self._password)
        for path in (part, password):
            binaries.give(path)
        try:
            self.run(
                "initdb", "--pgdata", str(part), "--username", USER, "--auth=scram-sha-256",
                "--pwfile", str(password), "--encoding=UTF8", "--locale=C", "--no-sync",
                "--no-instructions",
            )  # fmt: skip
        except subprocess.CalledProcessError as exc:
            raise Unavailable(
                f"PostgreSQL's initdb failed, which {binaries.user() or 'this user'} runs: "
                f"{exc.stderr.strip()}"
            ) from exc
        if not self._stays:
            password.unlink()
        part.rename(self._data)

    def _end_earlier(self) -> None:
        """End a server that still runs on this folder, since its process was killed."""
        if (self._data / "postmaster.pid").exists():
            with contextlib.suppress(subprocess.CalledProcessError):  # it ended with the machine
                self.run("pg_ctl", "stop", "--pgdata", str(self._data), "--mode", "fast")

    def _started(self, port: int) -> bool:
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "",
            "max_connections": "200", **self._options,
        }  # fmt: skip
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder,
                env=_environment(), start_new_session=True, **binaries.as_user(),
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            ready = subprocess.run(
                [self._bin / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"],
                check=False,
            )
            # The process is looked at again: another server may have answered on this port.
            if ready.returncode == 0 and self._process.poll() is None:
                return True
            time.sleep(0.02)
        self._end(signal.SIGQUIT)
        return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


@contextlib.contextmanager
def serve(
    options: dict[str, str] | None = None, *, lasting: bool = False, kept: Path | None = None
) -> Iterator[Server]:
    """A server that runs until the end of the block. raises Unavailable"""
    server = Server(options, lasting=lasting, kept=kept)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _environment() -> dict[str, str]:
    """Nothing of this process's, whose settings may name another server or a folder that the
    server's user can't enter."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
