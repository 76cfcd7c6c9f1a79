"""A process for each video, forked from a server that is started once."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from checks.fuzzing.films import COLOURS, encoded, film
from index.clips import forks
from index.clips.clip import BytesSource
from index.clips.readers import BLOCK, MEMORY_BYTES, READY, scenes_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells of its processes")

CLIP = film(scenes=COLOURS[:2])


@pytest.fixture(autouse=True)
def own_server() -> Iterator[None]:
    """A server of this test alone."""
    forks.close()
    yield
    forks.close()


def serving(work: str, idle_s: float = 60.0) -> list[str]:
    """The command of a server whose forks do this work."""
    serve = f"fork_server.serve(socket.socket(fileno=0), {work}, {idle_s})"
    code = f"import os, socket; from index.clips import fork_server, reader; {serve}"
    return [sys.executable, "-P", "-c", code]


def told(pid: int | str, file: str) -> str:
    return Path(f"/proc/{pid}/{file}").read_text()


def at_work() -> list[str]:
    """The processes that the server has forked, the first one first."""
    return told(server(), f"task/{server()}/children").split()


def server() -> int:
    assert forks._server is not None
    return forks._server._process.pid


async def test_videos_share_a_server_which_is_started_once() -> None:
    first = await scenes_of(BytesSource(CLIP))
    pid = server()
    assert await scenes_of(BytesSource(CLIP)) == first
    assert server() == pid


async def test_each_video_has_a_confined_process_of_its_own() -> None:
    async with forks.fork(3) as one, forks.fork(0) as other:
        assert await one.answers.readline() == await other.answers.readline() == READY
        pids = at_work()
        assert len(pids) == 2
        for pid in pids:
            assert "NoNewPrivs:\t1" in told(pid, "status")
            assert f"Max address space         {MEMORY_BYTES}" in told(pid, "limits")
            assert told(pid, "oom_score_adj").strip() == "1000"
        niceness = {int(told(pid, "stat").split()[18]) for pid in pids}
        assert niceness == {os.nice(0), os.nice(0) + 3}
    assert not at_work()


async def test_a_process_holds_no_descriptor_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    work = "lambda: print(os.listdir('/proc/self/fd'), flush=True) or os.read(0, 1) and 0"
    monkeypatch.setattr(forks, "COMMAND", serving(work))
    async with forks.fork(0) as one:
        seen = [await one.answers.readline()]
        async with forks.fork(0) as other:
            seen.append(await other.answers.readline())
    # Its three, what its server sees closed at its end, and the folder that it listed.
    assert [len(ast.literal_eval(line.decode())) for line in seen] == [5, 5]


async def test_a_process_that_ends_costs_no_other_video() -> None:
    async with forks.fork(0) as one, forks.fork(0) as other:
        await one.answers.readline()
        await other.answers.readline()
        os.kill(int(at_work()[0]), signal.SIGSEGV)
        assert not await one.answers.readline()
        assert await one.ended() == -signal.SIGSEGV
        reading = asyncio.create_task(other.answers.readline())
        assert await scenes_of(BytesSource(CLIP))
        assert not reading.done()
        reading.cancel()


async def test_a_server_without_videos_ends_and_the_next_one_starts_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forks, "COMMAND", serving("reader.main", idle_s=0.05))
    first = await scenes_of(BytesSource(CLIP))
    assert forks._server is not None
    await asyncio.to_thread(forks._server._process.wait)
    assert await scenes_of(BytesSource(CLIP)) == first


async def test_a_video_is_read_again_if_the_server_was_killed() -> None:
    class Deadly(BytesSource):
        async def read(self, offset: int, length: int) -> bytes:
            if offset and not killed:
                os.kill(server(), signal.SIGKILL)
                killed.append(server())
            return await super().read(offset, length)

    killed: list[int] = []
    noise = np.random.default_rng(5).integers(0, 255, (20, 240, 320, 3), np.uint8)
    clip = encoded(noise, "mjpeg", "mp4", 10, bit_rate=20_000_000)
    assert len(clip) > BLOCK  # more is asked for than the first block, which comes unasked
    assert await scenes_of(Deadly(clip))
    assert killed
    assert server() != killed[0]
