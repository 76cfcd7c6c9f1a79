"""Which frames of an animation are searched: a few, evenly spread, that look different."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageStat

# Formats whose further frames are an animation. In other formats they are pages or previews.
ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF", "Lottie"})
# Frames of an animation that are searched, evenly spread from the first to the last. Each one costs
# as much as a picture of its own.
MAX_FRAMES = 4
# Two frames count as one when their mean difference, of 255 at 32 × 32 pixels, is below this.
SAME_FRAME = 2.0


def frame_count(image: Image.Image) -> int:
    """Frames of an animation; 1 for every other picture."""
    return int(getattr(image, "n_frames", 1)) if image.format in ANIMATED else 1


def evenly_spread(n_frames: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers from the first to the last."""
    count = max(1, min(n_frames, wanted))
    return sorted({round(i * (n_frames - 1) / max(1, count - 1)) for i in range(count)})


def different(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """The frames without those that look like the one before."""
    if len(frames) == 1:
        return list(frames)
    kept: list[Image.Image] = []
    last: Image.Image | None = None
    for frame in frames:
        tiny = frame.resize((32, 32), Image.Resampling.BOX).convert("L")
        if last is None or ImageStat.Stat(ImageChops.difference(tiny, last)).mean[0] > SAME_FRAME:
            kept.append(frame)
            last = tiny
    return kept
