"""Why the system refused something, in words."""

from __future__ import annotations

import errno

_REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: "it is a link that leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EIO: "the drive reports an error",
    errno.ESTALE: "the network drive has lost it; connect the drive again",
    errno.ENOTCONN: "the drive is not connected",
    errno.ETIMEDOUT: "the drive does not answer",
    errno.EHOSTUNREACH: "the drive does not answer",
    errno.ENXIO: "no device is behind it",
    errno.ENODEV: "no device is behind it",
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "this disk can only be read",
    errno.EEXIST: "something of that name is there already",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    **({errno.EDQUOT: "your share of the disk is full"} if hasattr(errno, "EDQUOT") else {}),
}


def reason_of(exc: Exception) -> str:
    """Why something was refused, in words that follow a colon or stand in brackets."""
    if not isinstance(exc, OSError):
        return str(exc)
    words = _REASONS.get(exc.errno or 0) or exc.strerror or type(exc).__name__
    return words[0].lower() + words[1:]
