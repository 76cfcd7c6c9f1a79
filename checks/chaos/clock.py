"""The clock of the bot's process, which can be set wrong without touching the machine's."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """A clock that every process with its `environment` sees, wrong by what it was `set` to.

    It replaces the clock functions of the C library, so no part of the process can see the right
    time. This needs a C compiler; `can_be_wrong` says whether there is one.
    """

    def __init__(self, folder: Path) -> None:
        self._seconds = folder / "clock"
        self._library = folder / "clock.so"
        compiler = shutil.which("cc")
        self.can_be_wrong = compiler is not None
        if compiler is not None:
            files = ["-o", str(self._library), str(SOURCE)]
            subprocess.run([compiler, "-shared", "-fPIC", *files, "-ldl"], check=True)
        self._seconds.write_bytes(struct.pack("q", 0))
        self.ahead_s = 0

    @property
    def environment(self) -> dict[str, str]:
        if not self.can_be_wrong:
            return {}
        return {"LD_PRELOAD": str(self._library), "WRONG_CLOCK": str(self._seconds)}

    def set(self, seconds: int) -> None:
        """Let the clock be this many seconds ahead; behind, if negative."""
        with self._seconds.open("r+b") as file:  # in place, since processes have it mapped
            file.write(struct.pack("q", seconds))
        self.ahead_s = seconds
