"""The sandbox and Magpie as processes, started as an operator starts them, and a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo import WORLD
from pocket import MODEL

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 120
STOPS_WITHIN_S = 30

WINDOW: Any = {"width": 1360, "height": 860}
PHONE: Any = {"width": 390, "height": 800}
CHROMIUM_FLAGS = [
    "--no-sandbox",  # as root, and in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]


class DidNotStart(RuntimeError):
    """A process ended or printed nothing; the message has its log."""


def chromium(own: str) -> str | None:
    """The browser of the system, else Playwright's own if it was downloaded, else None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    return found or (own if Path(own).exists() else None)


@contextmanager
def sandbox(folder: Path, world: Path) -> Iterator[str]:
    """The base URL of a running `python -m sandbox`, with its data and log in `folder`."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--world", str(world)]
    log = folder / "sandbox.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--data", str(folder / "data")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with ended(process):
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://\S+", line)
        if url is None:
            raise DidNotStart(f"the sandbox: {line}{log.read_text()}")
        yield url.group().rstrip("/")


@contextmanager
def magpie(folder: Path, base: str, world: Path = WORLD) -> Iterator[None]:
    """A running `python -m bot` with the pocket model, connected to the sandbox at `base`."""
    application = json.loads(world.read_text(encoding="utf-8"))["application"]
    settings = {
        "DISCORD_TOKEN": application["token"],
        "DISCORD_API": base,
        "MAGPIE_QUESTIONS": "0",
        "MAGPIE_DB": str(folder / "magpie.db"),
        "MAGPIE_MODEL": str(MODEL),
        "MAGPIE_DEVICE": "cpu",
        "MAGPIE_HTTP": "off",
        "OMP_NUM_THREADS": "1",  # the browser and the sandbox need the other of two cores
    }
    log = folder / "magpie.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with ended(process):
        _wait_for_commands(process, base, log)
        yield


def _wait_for_commands(process: subprocess.Popen[bytes], base: str, log: Path) -> None:
    """Wait until a bot with commands is connected to the sandbox."""
    for _ in range(STARTS_WITHIN_S * 4):
        with urllib.request.urlopen(f"{base}/sandbox/health") as answer:
            health = json.load(answer)
        if health["bot_connected"] and health["commands"]:
            return
        if process.poll() is not None:
            break
        time.sleep(0.25)
    raise DidNotStart(f"Magpie: {log.read_text()}")


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End the process afterwards with a signal, as an operator does, and wait for it."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
