"""Whether a decoder may start the thread that it needs; see `confinement`."""

from __future__ import annotations

import threading

from index.types.errors import PictureUnsupported


def require_threads(found: str) -> None:
    """raises   PictureUnsupported, of what was found, where no thread can be started"""
    try:
        threading.Thread(target=int).start()
    except RuntimeError as exc:
        raise PictureUnsupported(f"{found} (for which libseccomp must be installed)") from exc
