"""A decoder process that was taken over: it settles as every decoder does, then tries everything.

python -m tests.index.images.intruder FOLDER ["limits alone"]
prints  as JSON, by the name of what was tried: "done", or the name of the error that refused it
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import socket
import sys
import threading
from collections.abc import Callable

from index.images import confinement, decoders, worker

NOBODY = 65534
PARENT = os.getppid()
LIBC = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(LIBC, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _clone() -> None:
    """A process that shares this one's memory, for which a thread's flags but one are used."""
    flags, pthread_flag = 0x3D0F00, 0x10000
    clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    ended = 17  # SIGCHLD
    if LIBC.syscall(clone, flags & ~pthread_flag & ~0x380800 | ended, None, None, None, None) == -1:
        raise OSError(ctypes.get_errno(), "")


def tries(folder: str) -> dict[str, Callable[[], object]]:
    executable = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    return {
        "read the parent's environment": lambda: open(f"/proc/{PARENT}/environ", "rb"),
        "read a file": lambda: open(f"{folder}/kept"),
        "write a file": lambda: open(f"{folder}/new", "w"),
        "list a folder": lambda: os.listdir(folder),
        "connect to the network": lambda: socket.socket(socket.AF_INET),
        "connect to this machine": lambda: socket.socket(socket.AF_UNIX),
        "make a pipe": os.pipe,
        "start a process": _fork,
        "start a thread": lambda: threading.Thread(target=int).start(),
        "raise its limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        # what only seccomp refuses
        "start a process in the way of threads": _clone,
        "remove a file": lambda: os.unlink(f"{folder}/kept"),
        "become another program": lambda: os.execv("/bin/true", ["true"]),
        "signal the parent": lambda: os.kill(PARENT, 0),
        "trace the parent": lambda: _call("ptrace", 16, PARENT, None, None),
        "read the parent's memory": lambda: _call("process_vm_readv", PARENT, *[None] * 5),
        "run what it wrote": lambda: mmap.mmap(-1, mmap.PAGESIZE, prot=executable),
    }


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except (RuntimeError, ValueError) as error:  # of a thread, of a limit
        return str(error)
    return "done"


def main(folder: str, limits_alone: bool) -> None:
    if limits_alone:
        confinement._libseccomp = lambda: None  # type: ignore[assignment]
        if os.geteuid() == 0:  # root is exempt from some limits
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    attempts = tries(folder)
    if limits_alone:
        attempts = dict(list(attempts.items())[:10])
    worker.settle(decoders.MEMORY_BYTES)
    outcomes = {name: _outcome(attempt) for name, attempt in attempts.items()}
    os.write(1, json.dumps(outcomes).encode())
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], "limits alone" in sys.argv[2:])
