"""What an operator's log shows: our own lines, and only the warnings of libraries."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.index import checkpoints, hub

ROOT = Path(__file__).parents[3]
LOADS = """
import logging, sys, warnings
from bot.ops import logs
from index.embed import checkpoint, embedder

logs.set_up(sys.argv[1])
model = embedder.load(checkpoint.find("some/model"), "cpu", "default")
model.texts(["a dog " * 300])
warnings.warn("for programmers", stacklevel=1)
logging.getLogger("httpx2").info("HTTP Request: GET .../api/agent-harnesses")
logging.getLogger("some.library").warning("the disk is slow")
logging.getLogger("bot.app").info("event=ours")
logging.getLogger("bot.app").debug("event=step")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "level"),
    [
        *(("tiny_clip", level) for level in ("info", "debug", "error")),
        ("tiny_altclip", "debug"),  # transformers computes it, and says most then
    ],
)
async def test_a_start_logs_nothing_of_libraries_but_their_warnings(
    family: str, level: str, tmp_path: Path
) -> None:
    folder = getattr(checkpoints, family)(tmp_path / "model")
    with hub.serving("some/model", folder) as (address, _):
        env = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", LOADS, level],
            capture_output=True, text=True, env=env, cwd=ROOT, check=True,
        )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("time=")]
    others = [line for line in done.stderr.splitlines() if line not in lines]
    assert [line for line in others if "%|" not in line and line.strip()] == []  # but its bars
    of_libraries = [line for line in lines if "source=" in line and "source=index." not in line]
    warned = [line.split("source=")[1].split()[0] for line in of_libraries]
    at_level = {"error": [], "info": ["some.library"], "debug": ["py.warnings", "some.library"]}
    assert warned == at_level[level]
    assert any("event=ours" in line for line in lines) == (level != "error")
    assert any("event=step" in line for line in lines) == (level == "debug")
