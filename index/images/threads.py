"""Whether a decoder may start the thread that it needs; see `confinement`."""

from __future__ import annotations

import threading

from index.types.errors import PictureUnsupported
from index.types.sentences import Sentence


def require_threads(found: Sentence) -> None:
    """raises   PictureUnsupported, of what was found, where no thread can be started"""
    try:
        threading.Thread(target=int).start()
    except RuntimeError as exc:
        reason = Sentence("{found} (for which libseccomp must be installed)", found=found)
        raise PictureUnsupported(reason) from exc
