"""Lottie animations, as Discord's own stickers are, for Pillow to open.

They are drawings described in JSON. The library draws them at any size and moment.

source   https://lottie.github.io/lottie-spec: w, h (pixels), ip, op (first and last frame), layers
"""

from __future__ import annotations

import json
from typing import Any, cast

from PIL import Image, ImageFile
from rlottie_python import LottieAnimation  # type: ignore[attr-defined]

from index.images.threads import require_threads
from index.types.sentences import Sentence

FORMAT = "Lottie"
# Longest edge of a frame that is drawn, in pixels, whatever size the animation names. Discord's
# stickers have 320; no model looks at more than this.
MAX_EDGE = 512
# Frames that are counted, evenly spread. Drawing one takes a millisecond or more, and an animation
# may claim any number.
MAX_COUNTED = 64
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


def is_lottie(data: bytes) -> bool:
    """Whether the bytes are JSON that names what an animation needs."""
    try:
        _read(data)
    except SyntaxError:
        return False
    return True


def _is_object(head: bytes) -> bool:
    return head.removeprefix(_BOM).lstrip(_SPACE).startswith(b"{")


class _Drawing(ImageFile.ImageFile):
    """An animation whose frames are drawn when they are loaded."""

    format = FORMAT
    format_description = "Lottie animation"

    def _open(self) -> None:
        """raises   SyntaxError when it is none"""
        assert self.fp is not None
        text, width, height, lasts_s = _read(self.fp.read())
        self._animation = LottieAnimation.from_data(text)
        total = self._animation.lottie_animation_get_totalframe()
        if total < 1:
            raise SyntaxError("not a Lottie animation")
        self._numbers = _evenly(total, MAX_COUNTED)
        self.info["duration"] = 1000 * lasts_s / len(self._numbers)  # of a frame, in milliseconds
        self._frame = 0
        scale = min(1.0, MAX_EDGE / max(width, height))
        self._size = max(1, round(width * scale)), max(1, round(height * scale))
        self._mode = "RGBA"
        self.tile = []

    @property
    def n_frames(self) -> int:
        return len(self._numbers)

    @property
    def is_animated(self) -> bool:
        return self.n_frames > 1

    def seek(self, frame: int) -> None:
        if not 0 <= frame < self.n_frames:
            raise EOFError("no more frames")
        self._frame = frame

    def tell(self) -> int:
        return self._frame

    def load(self) -> Any:
        require_threads(Sentence("a Lottie animation"))
        width, height = self.size
        pixels = self._animation.lottie_animation_render(
            self._numbers[self._frame], width=width, height=height
        )
        # Its colours are multiplied by their opacity.
        self.im = Image.frombytes("RGBA", self.size, pixels, "raw", "BGRa").im
        return super().load()


def _read(data: bytes) -> tuple[str, int, int, float]:
    """The JSON of an animation, its width, its height, and for how many seconds it lasts.

    raises   SyntaxError when it is none
    """
    try:
        text = data.removeprefix(_BOM).decode()
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SyntaxError("not JSON") from exc
    if not isinstance(found, dict) or not isinstance(found.get("layers"), list):
        raise SyntaxError("not a Lottie animation")
    numbers = [found.get(name) for name in ("w", "h", "ip", "op", "fr")]
    if not all(isinstance(each, int | float) and abs(each) < 10**6 for each in numbers):
        raise SyntaxError("not a Lottie animation")
    width, height, begin, end, rate = cast("list[float]", numbers)
    if min(width, height) < 1 or end <= begin or rate <= 0:
        raise SyntaxError("not a Lottie animation")
    return text, int(width), int(height), (end - begin) / rate


def _evenly(total: int, most: int) -> list[int]:
    """At most this many of the numbers 0 … total - 1, evenly spread."""
    count = min(total, most)
    return [round(number * (total - 1) / max(1, count - 1)) for number in range(count)]


Image.register_open(FORMAT, _Drawing, _is_object)
