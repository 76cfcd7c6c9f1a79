"""HEIC photographs, as phones take them, for Pillow to open. They are only decoded here."""

from __future__ import annotations

from typing import Any

import pillow_heif
from PIL import Image
from pillow_heif import HeifImageFile

from index.images.threads import require_threads
from index.types.sentences import Sentence

FORMAT = str(HeifImageFile.format)
# Its first brand, which comes behind the length of the box and its name.
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
_MOVING = (b"hevc", b"hevx", b"hevm", b"hevs", b"msf1")
# Boxes of its header: of each coded picture the size, and what HEVC's decoder needs to know.
_SIZE, _HEVC = b"ispe", b"hvcC"
MAX_HEADER_BYTES = 2**16


class _Photograph(HeifImageFile):
    def load(self) -> Any:
        if self.fp is not None:  # its pixels are not there yet
            require_threads(Sentence("a HEIC photograph"))
        return super().load()  # type: ignore[no-untyped-call]


def is_heif(data: bytes) -> bool:
    """Whether the bytes begin like a HEIC or HEIF file."""
    return data[4:8] == b"ftyp" and data[8:12] in (*_STILLS, *_MOVING)


def unsupported(data: bytes) -> Sentence | None:
    """What a photograph that the decoder refused is. None: it is damaged."""
    if data[8:12] in _MOVING:
        return Sentence("a HEIC animation")
    if _SIZE in data[:MAX_HEADER_BYTES] and _HEVC not in data[:MAX_HEADER_BYTES]:
        return Sentence("a HEIF picture in another coding than HEVC")
    return None


# Previews and depth maps beside the picture aren't looked at.
pillow_heif.register_heif_opener(
    decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
)
Image.register_open(FORMAT, _Photograph, is_heif)
