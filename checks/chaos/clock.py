"""The clock of the bot's process, which can be set wrong without touching the machine's."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """Wrong by what it was `set` to, for every process with its `environment`.

    Needs a C compiler: what is set wrong is what the C library tells, so nothing in the process
    knows better.
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

    @property
    def environment(self) -> dict[str, str]:
        if not self.can_be_wrong:
            return {}
        return {"LD_PRELOAD": str(self._library), "WRONG_CLOCK": str(self._seconds)}

    def set(self, seconds: int) -> None:
        """From now on it is ahead by this much; behind, if negative."""
        with self._seconds.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("q", seconds))
