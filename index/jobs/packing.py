"""What a worker made, as bytes: some JSON, and blobs behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.types import errors
from index.types.errors import PictureError
from index.types.records import EmbeddedPicture, Moment
from index.types.sentences import packed, unpacked

_SIZE = 4  # bytes that say how long the JSON is


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one need: what was made, or why it can't be made of this picture."""

    made: bytes = b""
    error: PictureError | None = None

    async def result(self) -> bytes:
        """What was made. raises   PictureError"""
        if self.error is not None:
            raise self.error
        return self.made


def pack(head: object, blobs: Sequence[bytes]) -> bytes:
    """Some JSON and blobs, as bytes."""
    text = json.dumps({"head": head, "sizes": [len(blob) for blob in blobs]}).encode()
    return b"".join((len(text).to_bytes(_SIZE, "big"), text, *blobs))


def unpack(data: bytes) -> tuple[Any, list[bytes]]:
    """What was packed."""
    end = _SIZE + int.from_bytes(data[:_SIZE], "big")
    read = json.loads(data[_SIZE:end])
    blobs = []
    for size in read["sizes"]:
        blobs.append(data[end : end + size])
        end += size
    return read["head"], blobs


def outcomes_to_bytes(outcomes: Mapping[str, Outcome]) -> bytes:
    """What came of each need of a job."""
    head = [
        {"need": need, "error": None if one.error is None else _described(one.error)}
        for need, one in outcomes.items()
    ]
    return pack(head, [one.made for one in outcomes.values()])


def outcomes_of(data: bytes) -> dict[str, Outcome]:
    """What came of each need, as a worker has packed it."""
    head, blobs = unpack(data)
    return {
        one["need"]: Outcome(blob, one["error"] and _error(one["error"]))
        for one, blob in zip(head, blobs, strict=True)
    }


def picture_to_bytes(picture: EmbeddedPicture) -> bytes:
    """What a model's worker made of a picture: its vectors, size and moments."""
    vectors = np.ascontiguousarray(picture.vectors, np.float32)
    head = {
        "width": picture.width,
        "height": picture.height,
        "partial": picture.partial,
        "revision": picture.revision,
        "dimension": vectors.shape[1],
        "seconds": [moment.second for moment in picture.moments],
    }
    return pack(head, [vectors.tobytes(), *(moment.still for moment in picture.moments)])


def picture_of(key: bytes, data: bytes) -> EmbeddedPicture:
    """The picture with this key, of which a worker has made this."""
    head, (vectors, *stills) = unpack(data)
    return EmbeddedPicture(
        key, "image", np.frombuffer(vectors, np.float32).reshape(-1, head["dimension"]),
        head["width"], head["height"], revision=head["revision"],
        moments=[Moment(*one) for one in zip(head["seconds"], stills, strict=True)],
        partial=head["partial"],
    )  # fmt: skip


def lines_to_bytes(lines: Sequence[str]) -> bytes:
    """The words that were read in a picture."""
    return json.dumps(list(lines)).encode()


def lines_of(data: bytes) -> tuple[str, ...]:
    """The words, as a worker has packed them."""
    return tuple(json.loads(data))


def _described(error: PictureError) -> dict[str, Any]:
    """What an error holds is what it is made of."""
    values = {name: packed(value) for name, value in vars(error).items()}
    return {"kind": type(error).__name__, "values": values}


def _error(described: Mapping[str, Any]) -> PictureError:
    kind: type[PictureError] = getattr(errors, described["kind"])
    return kind(**{name: unpacked(value) for name, value in described["values"].items()})
