"""An opened video → the frames that are searched, as a small animation.

Frames cost what lies between the last key frame and them: bytes to read, and time to decode. So key
frames are taken first, at which a video also begins a new scene if its encoder looked for scenes.
Others are decoded only where no key frame is near.
"""

from __future__ import annotations

import io
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from index.clips.clip import ClipLimits
from index.images.animation import chosen, tiny
from index.types.errors import PictureBroken, PictureTooLarge, PictureUnsupported
from index.types.sentences import Sentence

# The long edge of a kept frame: several times what most models look at.
EDGE = 640
QUALITY = 88  # of WebP
# Evenly spread frames that are looked at: twice as many as are kept, so that no scene of a tenth of
# the video lies between two of them, wherever key frames are.
LOOKED_AT = 24
# Frames that are nearer to each other aren't both looked at.
LEAST_APART_S = 0.3
MOST_MS = 2**24 - 1  # that a frame of WebP is shown

# Kinds of videos that have an index, by which frames are found quickly and exactly.
INDEXED = ("mov", "matroska", "avi")

NO_FRAMES = Sentence("no frame of it can be decoded")
HEADER = Sentence("its header can't be read")
# What videos are made with. Others are not tried: FFmpeg knows hundreds, mostly of old games.
CODECS = (
    *("h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "libdav1d", "av1", "mpeg4", "h263"),
    *("mpeg1video", "mpeg2video", "mjpeg", "theora", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2"),
    *("wmv3", "vc1", "flv", "prores", "dvvideo", "png", "rawvideo"),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frame that may be kept; `second` since the video's beginning."""

    second: float
    frame: Image.Image


def scenes(source: Any, container: str, limits: ClipLimits) -> bytes:
    """The frames that are searched, as an animated WebP in which each is shown at its second.

    source     what PyAV reads: `read`, `seek` and `tell`
    container  as `container_of` says
    raises     PictureError, MemoryError
    """
    try:
        opened = av.open(
            source,
            format=container,
            metadata_errors="ignore",
            buffer_size=2**16,
            options={"codec_whitelist": ",".join(CODECS), "protocol_whitelist": ""},
        )
    except MemoryError:
        raise
    except Exception as exc:  # hostile bytes can fail anywhere
        raise PictureBroken(HEADER) from exc
    with opened as video:
        assert isinstance(video, InputContainer)
        found = Scenes(video, limits).found(sought=container in INDEXED)
    if not found:
        raise PictureBroken(NO_FRAMES)
    places = chosen([tiny(one.frame) for one in found], limits.frames)
    if len(places) == 1 < len(found):  # it moves, even if it doesn't change
        places.append(len(found) - 1)
    return _animation([found[place] for place in places])


# A frame, and its second since the video's beginning.
Shown: TypeAlias = tuple[float, VideoFrame]


class Scenes:
    """Finds candidates in one video."""

    def __init__(self, video: InputContainer, limits: ClipLimits) -> None:
        """raises   PictureUnsupported, PictureTooLarge"""
        self._video = video
        self._stream = stream = _shown_stream(video)
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1  # videos are read side by side
        pixels = stream.codec_context.width * stream.codec_context.height
        if pixels > limits.pixels:
            raise PictureTooLarge(pixels, limits.pixels, "pixels")
        self._pixels = limits.pixels
        self._until = time.process_time() + limits.cpu_s / 2
        self._begin = (stream.start_time or 0) * self._base
        self._size: tuple[int, int] | None = None  # of all candidates
        # Frames that are being decoded one after the other, and the second that they have reached.
        self._decoded: Iterator[VideoFrame] | None = None
        self._reached = 0.0

    @property
    def _base(self) -> Fraction:
        return self._stream.time_base or Fraction(1, 90_000)

    def found(self, *, sought: bool) -> list[Candidate]:
        """The candidates, in order; as many as there is time for.

        sought   frames are sought where they are; else all is read from the beginning
        """
        keys = self._keys()
        length = self._length(keys)
        candidates = []
        if sought and length:
            candidates = self._at(_wanted_seconds(keys, length), keys)
        if len(candidates) < 2:
            candidates = self._from_the_beginning() or candidates
        return candidates

    def _keys(self) -> list[float]:
        """The seconds of the key frames, where the video has an index."""
        entries = self._stream.index_entries
        keys = [float(e.timestamp * self._base - self._begin) for e in entries if e.is_keyframe]
        return sorted({max(0.0, second) for second in keys})

    def _length(self, keys: Sequence[float]) -> float:
        """Of the video, in seconds; 0 where it isn't known."""
        entries = self._stream.index_entries
        told = float((self._stream.duration or 0) * self._base)
        if not told and self._video.duration:
            told = self._video.duration / av.time_base
        # A header may promise hours that aren't there; the index knows the last frame.
        last = float(entries[-1].timestamp * self._base - self._begin) if len(entries) else told
        return min(told, last + 10.0) if len(keys) > 1 else told

    def _at(self, seconds: Sequence[float], keys: Sequence[float]) -> list[Candidate]:
        """The frames at these seconds; those that can't be had are left out."""
        candidates: list[Candidate] = []
        for second in seconds:
            if time.process_time() > self._until:
                break
            place = bisect_right(keys, second)
            key = keys[place - 1] if place else None
            following = keys[place] if place < len(keys) else None
            try:
                if key == second:
                    self._take(self._key_frame(second, following), candidates)
                else:
                    self._take(self._frame(second, key), candidates)
            except (MemoryError, PictureTooLarge):
                raise
            except Exception:  # a damaged part; others may be whole
                continue
        return candidates

    def _key_frame(self, second: float, following: float | None) -> Shown | None:
        """The key frame at this second, from its packet alone.

        An index has the order in which frames are decoded, and a key frame may be shown some frames
        later. So what is sought is a moment between it and the `following` one.
        """
        gap = 2 * LEAST_APART_S if following is None else following - second
        self._seek(second + min(gap / 2, LEAST_APART_S))
        for packet in self._video.demux(self._stream):
            frames = [*packet.decode(), *self._stream.decode(None)]
            if not frames or packet.pts is None:
                return None
            return self._second(packet.pts, packet.time_base), frames[0]
        return None

    def _frame(self, second: float, key: float | None) -> Shown | None:
        """The frame that is shown at this second.

        key   the key frame before it, if that is known: frames are decoded from there on, or from
              where the last call ended, if that is nearer
        """
        reached = self._reached
        if self._decoded is None or reached > second or key is None or key > reached:
            self._seek(second)
            self._decoded = self._video.decode(self._stream)
        last = None
        for frame in self._decoded:
            if frame.pts is None:  # as after a seek that led between two key frames
                continue
            self._reached = self._second(frame.pts, frame.time_base)
            last = self._reached, frame
            if self._reached >= second - 0.05 or time.process_time() > self._until:
                break
        return last

    def _seek(self, second: float) -> None:
        self._decoded, self._reached = None, 0.0
        timestamp = round((Fraction(second) + self._begin) / self._base)
        self._video.seek(timestamp, stream=self._stream, backward=True)

    def _from_the_beginning(self) -> list[Candidate]:
        """Frames of a video that can't be sought in, fewer of a longer one."""
        candidates: list[Candidate] = []
        apart_s = LEAST_APART_S
        try:
            self._video.seek(0)
        except Exception:
            return []
        try:
            for second, frame in self._frames():
                if not candidates or second >= candidates[-1].second + apart_s:
                    self._take((second, frame), candidates)
                if len(candidates) > 2 * LOOKED_AT:
                    del candidates[1::2]
                    apart_s *= 2
        except (MemoryError, PictureTooLarge):
            raise
        except Exception:  # what was decoded before the damage counts
            pass
        return candidates

    def _frames(self) -> Iterator[Shown]:
        for frame in self._video.decode(self._stream):
            if time.process_time() > self._until:
                return
            if frame.pts is not None:
                yield self._second(frame.pts, frame.time_base), frame

    def _take(self, shown: Shown | None, candidates: list[Candidate]) -> None:
        """Add a frame, unless it is one that is there already."""
        if shown is None:
            return
        second, frame = max(0.0, shown[0]), shown[1]
        if any(abs(one.second - second) < 0.001 for one in candidates):
            return
        if frame.width * frame.height > self._pixels:  # it may grow
            raise PictureTooLarge(frame.width * frame.height, self._pixels, "pixels")
        candidates.append(Candidate(round(second, 3), self._image(frame)))
        candidates.sort(key=lambda one: one.second)

    def _second(self, timestamp: int, base: Fraction | None) -> float:
        return float(timestamp * (base or self._base) - self._begin)

    def _image(self, frame: VideoFrame) -> Image.Image:
        """RGB, upright, of square pixels, with a long edge of at most EDGE."""
        aspect = float(self._stream.codec_context.sample_aspect_ratio or 1)
        aspect = aspect if 0.1 < aspect < 10 else 1.0
        width, height = frame.width * aspect, float(frame.height)
        scale = min(1.0, EDGE / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = frame.reformat(*size, format="rgb24", interpolation="AREA", threads=1)
        image = Image.fromarray(small.to_ndarray())
        if frame.rotation % 360:
            image = image.rotate(frame.rotation, Image.Resampling.BICUBIC, expand=True)
        self._size = self._size or image.size
        return image if image.size == self._size else image.resize(self._size)


def _shown_stream(video: InputContainer) -> VideoStream:
    """The largest stream of pictures. raises PictureUnsupported"""
    # A cover of a sound file is a stream of pictures, too, of one picture.
    streams = [one for one in video.streams.video if one.codec_context is not None]
    if not streams:
        sound = bool(video.streams.audio)
        raise PictureUnsupported(
            Sentence("a sound file") if sound else Sentence("a video of an unknown kind")
        )
    largest = max(streams, key=lambda one: one.codec_context.width * one.codec_context.height)
    if largest.codec_context.name not in CODECS:
        name = largest.codec_context.name
        raise PictureUnsupported(Sentence("a video that is coded as {name}", name=name))
    return largest


def _wanted_seconds(keys: Sequence[float], length: float) -> list[float]:
    """The seconds of the frames that are looked at: evenly spread ones, or the key frame that is
    near; and all key frames, if they are few."""
    seconds = list(keys) if len(keys) <= LOOKED_AT else []
    parts = max(2, min(LOOKED_AT, int(length / LEAST_APART_S)))
    part = length / parts
    for number in range(parts):
        middle = (number + 0.5) * part
        key = min(keys, key=lambda second: abs(second - middle), default=-length)
        seconds.append(key if abs(key - middle) <= part / 2 else middle)
    return sorted(set(seconds))


def _animation(kept: Sequence[Candidate]) -> bytes:
    """An animated WebP; its first frame is shown from the beginning."""
    first, *others = [one.frame for one in kept]
    out = io.BytesIO()
    if not others:
        first.save(out, "WEBP", quality=QUALITY, method=2)
        return out.getvalue()
    ends = [one.second for one in kept[1:]]
    begins = [0.0, *ends[:-1]]
    shown_ms = [round(1000 * (end - begin)) for begin, end in zip(begins, ends, strict=True)]
    shown_ms = [min(max(ms, 20), MOST_MS) for ms in (*shown_ms, 1000)]
    first.save(
        out, "WEBP", save_all=True, append_images=others, duration=shown_ms, quality=QUALITY,
        method=2,
    )  # fmt: skip
    return out.getvalue()
