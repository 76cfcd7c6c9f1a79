"""The token can't be read from the bot's process by its children or its neighbours."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SECRET = "hunter2"

# A process that hides its token, and a child that looks for it before and after. As root, both
# become an ordinary user first, since root may read everything.
LOOKING = """
import ctypes, os
from bot.ops.secrecy import hide_secrets

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user hides a process, too


def look():
    parent = os.getpid()
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            seen = b"hunter2" in open(f"/proc/{parent}/environ", "rb").read()
        except PermissionError:
            seen = False
        inherited = "hunter2" in os.environ.values()
        os.write(write, f"{seen} {inherited}".encode())
        os._exit(0)
    os.wait()
    return os.read(read, 100).decode()


print(look())
hide_secrets()
print(look())
"""

# `python -m bot` up to where it would serve.
STARTING = """
import ctypes, os
from bot import __main__ as program


async def run(chosen, **others):
    print(chosen.token, os.environ.get("DISCORD_TOKEN"), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))


program.run = run
program.main()
"""


def printed(script: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_child_no_longer_finds_a_token_that_is_hidden() -> None:
    before, after = printed(LOOKING, DISCORD_TOKEN=SECRET)
    assert before == "True True"
    assert after == "False False"


def test_the_bot_hides_its_token_as_soon_as_it_has_read_it() -> None:
    [line] = printed(STARTING, DISCORD_TOKEN=SECRET, DISCORD_API="http://127.0.0.1:1")
    assert line == f"{SECRET} None 0"
