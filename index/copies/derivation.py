"""Fingerprints as a derivation: each picture of a gallery has one, whatever its model."""

from __future__ import annotations

from index.concurrency import Pool
from index.copies.fingerprint import REVISION, SHORT_EDGE, Fingerprint, fingerprint
from index.images import decoders
from index.images.resize import KEPT_SCALE
from index.types.derivations import FINGERPRINT

# For which a decoder keeps pictures at least in the size in which they are looked at.
_SIDE = -(-SHORT_EDGE // KEPT_SCALE)


class FingerprintDerivation:
    """Makes fingerprints of pictures; a `Derivation`. A text has an empty one.

    The bytes of strangers are decoded in a process of its own, as always; what is made here are
    sums over its pixels.
    """

    name = FINGERPRINT
    revision = REVISION
    required = False  # a picture without a fingerprint is found like any other

    def __init__(self, decoding: Pool) -> None:
        self._decoding = decoding

    async def of_picture(self, data: bytes) -> bytes:
        """raises   PictureError"""
        return await self._decoding.run(lambda: fingerprint_of(data).to_bytes())

    async def of_text(self, text: str) -> bytes:
        return b""


def fingerprint_of(data: bytes) -> Fingerprint:
    """The fingerprint of the picture in `data`; for a thread. raises PictureError"""
    decoded = decoders.decode(data, _SIDE, "free")
    return fingerprint(decoded.frames, (decoded.width, decoded.height))
