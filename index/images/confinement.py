"""What a decoder process gives up before it reads the bytes of a stranger.

A flaw in a decoder could let these bytes run code of their own. That code then has this process's
memory, its time, and the pipe that its answer goes through. It gets nothing else:

- no file, socket, pipe or other descriptor can be opened, not even for reading: so neither the
  gallery, nor the network, nor the environment of the main process, where the bot's token was
- no process can be started, and no other process can be looked at or signalled
- no memory can be made executable

Limits of the kernel do the first half on every Unix. On Linux, the second half and the limits
themselves are held by seccomp: every system call is refused but those few that decoding needs. The
library libseccomp knows their numbers on each kind of processor. A thread may be started then,
since the decoders of HEIC and Lottie need one; the same limits hold for it. Without seccomp, the
kernel's limit can't tell threads from processes, and neither can be started.
"""

from __future__ import annotations

import contextlib
import ctypes
import resource
from collections.abc import Iterator

# System calls that decoding, and the answer to it, need. None of them names a file or a process.
_CALLS = (
    # the pipes of requests and answers, which are open already
    *("read", "write", "readv", "writev", "lseek", "_llseek", "close", "fstat", "fstat64"),
    # memory
    *("brk", "munmap", "mremap", "madvise"),
    # Python's locks and signals, and the timer that ends a picture that takes too long
    *("futex", "futex_time64", "sched_yield", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn"),
    *("sigreturn", "setitimer", "restart_syscall"),
    # the time, and a little chance
    *("clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday", "getrandom"),
    # who and where it is, as C's library asks
    *("getpid", "gettid", "sched_getaffinity"),
    # a thread, as it introduces itself
    *("set_robust_list", "rseq"),
    *("exit", "exit_group"),
)
# The same, unless the memory were to be executable. The third argument says so.
_MEMORY_CALLS = ("mmap", "mmap2", "mprotect")
# The flags of `clone` with which C's library starts a thread: it shares everything with this one.
# The first argument holds them, and perhaps one more that no longer means anything.
_THREAD, _CLONE_DETACHED = 0x3D0F00, 0x400000

# linux/prctl.h, linux/mman.h, errno.h, seccomp.h
_PR_SET_NO_NEW_PRIVS = 38
_PROT_EXEC = 4
_EPERM, _ENOSYS = 1, 38
_ACT_ERRNO, _ACT_ALLOW = 0x00050000, 0x7FFF0000
_ALL_THREADS = 4  # SCMP_FLTATR_CTL_TSYNC
_MASKED_EQUAL = 7  # SCMP_CMP_MASKED_EQ


class _Comparison(ctypes.Structure):
    """libseccomp's scmp_arg_cmp: an argument of a call, compared with a value under a mask."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def confine(memory_bytes: int) -> None:
    """Give up, for good, everything but computing in `memory_bytes` of memory.

    Whatever is to be imported or opened must be so before. Systems that lack a limit skip it.
    """
    seccomp = _libseccomp()
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, 0)  # those that are open stay so
    if seccomp is None:
        _limit(resource.RLIMIT_NPROC, 0)  # of threads, too; root is exempt
    with contextlib.suppress(AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if seccomp is not None:
        _refuse_other_calls(seccomp)


def _limit(limit: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (most, most))


def _libseccomp() -> ctypes.CDLL | None:
    """The library; None where it isn't installed, and on other systems than Linux."""
    try:
        return ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None


def _refuse_other_calls(seccomp: ctypes.CDLL) -> None:
    """Let every system call but those above fail, from now on."""
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(_ACT_ERRNO | _EPERM))
    not_executable = _Comparison(2, _MASKED_EQUAL, _PROT_EXEC, 0)
    for number in _numbers(seccomp, _CALLS):
        seccomp.seccomp_rule_add_array(rules, _ACT_ALLOW, number, 0, None)
    for number in _numbers(seccomp, _MEMORY_CALLS):
        condition = ctypes.byref(not_executable)
        seccomp.seccomp_rule_add_array(rules, _ACT_ALLOW, number, 1, condition)
    thread = ctypes.byref(_Comparison(0, _MASKED_EQUAL, 0xFFFFFFFF ^ _CLONE_DETACHED, _THREAD))
    for number in _numbers(seccomp, ("clone",)):
        seccomp.seccomp_rule_add_array(rules, _ACT_ALLOW, number, 1, thread)
    # Its flags can't be looked at. As if there were no such call, C's library uses the one above.
    for number in _numbers(seccomp, ("clone3",)):
        seccomp.seccomp_rule_add_array(rules, _ACT_ERRNO | _ENOSYS, number, 0, None)
    seccomp.seccomp_attr_set(rules, _ALL_THREADS, 1)
    seccomp.seccomp_load(rules)


def _numbers(seccomp: ctypes.CDLL, names: tuple[str, ...]) -> Iterator[int]:
    """The numbers of those calls that this processor's Linux has."""
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            yield number
