"""The process whose forks read videos: `python -m index.clips.fork_server`, which `forks` starts.

To start Python and to import NumPy and PyAV takes several times as long as a short clip. So this
process does it once. It never sees a byte of a video. It forks a process for each, which confines
itself and ends with its video (see `reader`).

A request is a byte, the niceness of the new process, which comes with two sockets. Through one the
new process talks. Through the other this one tells its exit code, when it has ended; where that
socket is closed on the far side, the process is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from index.clips import reader

# After which it ends if no video comes, since it takes memory.
IDLE_S = 60.0
# A fork holds its conversation, standard error, and this, which the server sees closed at its end.
_HELD = 3
# More descriptors than this process ever has.
_ALL = 1024
_FAILED = 1  # exit code, as Python's own
_PR_SET_PDEATHSIG = 1  # linux/prctl.h: which signal comes when the server is killed


class _Fork(NamedTuple):
    pid: int
    held: int  # can be read once the process has ended
    end: socket.socket

    def finish(self) -> None:
        """End the process, if it hasn't ended, and tell how it did."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # of one that is ending this changes nothing
        _, status = os.waitpid(self.pid, 0)
        with self.end, contextlib.suppress(OSError):  # nobody may be interested any more
            self.end.sendall(b"%d" % os.waitstatus_to_exitcode(status))
        os.close(self.held)


def main() -> int:
    with socket.socket(fileno=sys.stdin.fileno()) as requests:
        serve(requests, reader.main, IDLE_S)
    return 0


def serve(requests: socket.socket, work: Callable[[], int], idle_s: float) -> None:
    """Fork a process for each request that does `work` and exits with the code that it returns.

    returns   when `requests` ends, or when there is no process and no request for `idle_s` seconds
    """
    gc.freeze()  # so that collecting garbage in a fork doesn't copy the memory that all share
    with selectors.DefaultSelector() as waiting:
        waiting.register(requests, selectors.EVENT_READ)
        forks: set[_Fork] = set()
        while ready := waiting.select(None if forks else idle_s):
            asked = {key.data for key, _ in ready}
            for fork in asked & forks:
                for file in (fork.held, fork.end):
                    waiting.unregister(file)
                fork.finish()
                forks.remove(fork)
            if None in asked:
                begun = _begun(requests, work)
                if begun is None:
                    break
                forks.add(begun)
                for file in (begun.held, begun.end):
                    waiting.register(file, selectors.EVENT_READ, begun)
        for fork in forks:
            fork.finish()


def _begun(requests: socket.socket, work: Callable[[], int]) -> _Fork | None:
    """The process for the next request; None when there are no more."""
    request, files, _, _ = socket.recv_fds(requests, 1, 2)
    if not request:
        return None
    conversation, end = files
    held, holds = os.pipe()
    pid = os.fork()
    if pid == 0:
        _do(work, request[0], conversation, holds)
    os.close(conversation)
    os.close(holds)
    return _Fork(pid, held, socket.socket(fileno=end))


def _do(work: Callable[[], int], niceness: int, conversation: int, holds: int) -> NoReturn:
    """Do the work as a process that holds nothing of the server's, and nothing of other forks."""
    code = _FAILED
    try:
        with contextlib.suppress(AttributeError):  # not Linux
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        for file in (sys.stdin, sys.stdout):
            os.dup2(conversation, file.fileno())
        os.dup2(holds, _HELD)
        os.closerange(_HELD + 1, _ALL)
        os.nice(niceness)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
