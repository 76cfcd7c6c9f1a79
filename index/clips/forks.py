"""Processes that read videos, as they are started and ended: forks of one server.

The server starts with the first video, and ends when none came for a minute, or with this process.
All galleries of this process share it, since it holds no data.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import socket
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

from console.reasons import reason_of
from index.images.decoders import environment, signals_blocked
from index.types.errors import DecoderUnusable

COMMAND = [sys.executable, "-P", "-m", "index.clips.fork_server"]
# Of a line that a fork says. The longest holds a traceback.
MAX_LINE_BYTES = 2**18
CODE_BYTES = 16  # an exit code's digits are fewer


class Fork:
    """A process, and the conversation with it."""

    def __init__(self, answers: StreamReader, requests: StreamWriter, end: socket.socket) -> None:
        self.answers = answers
        self.requests = requests
        self._end = end
        self._ending: asyncio.Task[int | None] | None = None

    async def ended(self) -> int | None:
        """End the process, if it hasn't ended.

        returns   its exit code, as `subprocess` numbers them; None: its server has ended, too
        """
        self._ending = self._ending or asyncio.create_task(self._finish())
        return await asyncio.shield(self._ending)

    async def _finish(self) -> int | None:
        with self._end:
            with contextlib.suppress(OSError):
                self._end.shutdown(socket.SHUT_WR)
            try:
                code = await asyncio.get_running_loop().sock_recv(self._end, CODE_BYTES)
            except ConnectionError:
                code = b""
        self.requests.close()
        with contextlib.suppress(ConnectionError):
            await self.requests.wait_closed()
        return int(code) if code else None


@contextlib.asynccontextmanager
async def fork(niceness: int) -> AsyncIterator[Fork]:
    """A process that reads one video, which ends in any case.

    niceness   above that of this process
    raises     DecoderUnusable
    """
    conversation, end = _asked(niceness)
    answers, requests = await asyncio.open_connection(sock=conversation, limit=MAX_LINE_BYTES)
    process = Fork(answers, requests, end)
    try:
        yield process
    finally:
        await process.ended()


class _Server:
    """The process whose forks they are."""

    def __init__(self) -> None:
        """raises   OSError"""
        self._requests, theirs = socket.socketpair()
        # In a session of its own, no Ctrl-C reaches it that is meant for this process.
        with theirs, signals_blocked():
            self._process = subprocess.Popen(
                COMMAND,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,
            )

    def fork(self, niceness: int) -> tuple[socket.socket, socket.socket]:
        """The sockets of a new process: to talk to it, and of its end.

        raises   OSError when the server has ended
        """
        conversation, its_conversation = socket.socketpair()
        end, its_end = socket.socketpair()
        for ours in (conversation, end):
            ours.setblocking(False)
        with its_conversation, its_end, contextlib.ExitStack() as failed:
            failed.enter_context(conversation)
            failed.enter_context(end)
            theirs = [its_conversation.fileno(), its_end.fileno()]
            socket.send_fds(self._requests, [bytes([niceness])], theirs)
            failed.pop_all()
        return conversation, end

    def close(self) -> None:
        """End the server, and with it its forks."""
        self._requests.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_server: _Server | None = None
_lock = threading.Lock()


def _asked(niceness: int) -> tuple[socket.socket, socket.socket]:
    """raises   DecoderUnusable"""
    global _server
    with _lock:
        for _ in range(2):  # the server may have ended, since it had nothing to do
            try:
                _server = _server or _Server()
                return _server.fork(niceness)
            except OSError as exc:
                failed = exc
                if _server is not None:
                    _server.close()
                _server = None
    raise DecoderUnusable(f"a process can't be started ({reason_of(failed)})") from failed


def close() -> None:
    """End the server; a later video starts a new one."""
    global _server
    with _lock:
        server, _server = _server, None
    if server is not None:
        server.close()


atexit.register(close)
