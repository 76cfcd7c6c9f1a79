"""Frames and texts to unit vectors: each tower of a checkpoint, computed in the way that pays.

CLIP and SigLIP, each with its own tokenizer and preprocessing, all read from the checkpoint, are
computed by `text_tower` and `image_tower`; whatever is not exactly of their shape, as SigLIP 2
with free resolution, by transformers. What is here runs in one thread, see `model_thread`.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np

from index.embed import checkpoint as checkpoints
from index.embed import packed, preprocessing
from index.embed.checkpoint import Checkpoint
from index.embed.geometry import Unfamiliar
from index.embed.image_tower import ImageTower, image_tower
from index.embed.text_tower import TextTower, text_tower
from index.embed.tokens import Tokens, tokens
from index.embed.weights import Weights
from index.images.resize import Shape
from index.types.errors import ModelTooLarge, ModelUnusable
from index.types.records import Floats, Precision

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

log = logging.getLogger(__name__)

T = TypeVar("T")
Side: TypeAlias = Literal["images", "texts"]
Between: TypeAlias = "Callable[[], None] | None"
# Tried for each side, best first, and compared with "plain".
NUMBERS: dict[Side, dict[Precision, tuple[packed.Numbers, ...]]] = {
    "images": {
        "exact": (),
        "auto": ("float16", "bfloat16", "float32"),
        "default": ("float16", "bfloat16", "float32"),
        "fast": ("float16", "int8", "bfloat16", "float32"),
    },
    "texts": {
        "exact": (),
        "auto": ("bfloat16", "float32"),
        "default": ("bfloat16", "float32"),
        "fast": ("bfloat16", "float32"),
    },
}
# What a side may at worst answer on the samples, as cosine to its plain answer. A question is
# compared with everything, so its digits count more than a picture's.
LEAST_COSINE: dict[Side, dict[Precision, float]] = {
    "images": {"auto": 0.999, "default": 0.999, "fast": 0.99},
    "texts": {"auto": 0.9999, "default": 0.9999, "fast": 0.9999},
}
SAMPLES = 4  # pictures, when an answer is checked
SAMPLE_TEXTS = (
    "a dog in the snow",
    "screenshot of a red error message",
    "cat",
    "two people on a beach at sunset, seen from behind",
    "the receipt with the total of 42.50",
    "birthday cake",
    "map of the old town",
    "a very small bird on a very large rock, far away and out of focus",
)

# Texts whose padding is part of what the model learnt: they are never trimmed.
PADDED_FAMILIES = frozenset({"siglip", "siglip2"})
# Pictures in one call. On a CPU twice as many are 2 % faster, and a question waits twice as long
# for what is in hand before it; a GPU is idle with less.
CPU_BATCH = 8
GPU_BATCH = 64


class Embedder(Protocol):
    """What a gallery needs of a model; `ClipEmbedder` is the real one."""

    name: str
    revision: str
    dimension: int
    side: int  # the edge, in pixels, of what it looks at
    shape: Shape  # how a picture is brought to it
    resample: int | None  # its resize's filter, where frames may come as it would leave them

    @property
    def batch(self) -> int:
        """Frames in one call."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda:0"."""

    def images(self, frames: Sequence[Image], between: Between = None) -> Floats:
        """(len(frames), d) float32, unit rows.

        between  may be called on the way, several times, for what can't wait
        """

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """(len(texts), d) unit rows; and for each text that was too long, what was read."""

    def seen(self, frame: Image) -> Image:
        """What it looks at of a frame: cropped and resized."""


class Texts(Protocol):
    """Texts → features, not yet of unit length, and what was read of those that were too long."""

    dimension: int

    def __call__(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]: ...


class Images(Protocol):
    """Frames → features, not yet of unit length."""

    def __call__(self, frames: Sequence[Image], between: Between = None) -> Floats: ...


class ClipEmbedder:
    """A checkpoint with an image and a text tower, made by `load`.

    A question in words needs neither the image tower nor torch, so the one comes with the first
    picture, unless `load` was told otherwise, and the other with it.
    """

    def __init__(self, found: Checkpoint, device: str, precision: Precision) -> None:
        self.name = found.name
        self.revision = found.revision
        self.side = preprocessing.side(found)
        self.shape = preprocessing.shape(found)
        self.resample = preprocessing.resample(found)
        self._found = found
        self._wanted_device = device
        self._precision = precision
        self._weights = Weights(found)
        self._device: torch.device | None = None
        self._images: Images | None = None
        self._texts = self._text_side(None)
        self.dimension = self._texts.dimension
        self._processor: Any = None

    @property
    def device(self) -> str:
        """Where pictures are computed; texts of known families are always on the CPU."""
        return str(self._on)

    @property
    def _on(self) -> torch.device:
        if self._device is None:
            self._device = _device(self.name, self._wanted_device)
        return self._device

    @property
    def batch(self) -> int:
        """Frames in one call."""
        return CPU_BATCH if self._on.type == "cpu" else GPU_BATCH

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """(len(texts), d) unit rows; and for each text that was too long, what was read."""
        features, read = self._texts(texts)
        return _unit(features), read

    def images(self, frames: Sequence[Image], between: Between = None) -> Floats:
        """(len(frames), d) float32, unit rows; `between` is called within the layers of known
        families."""
        if self._images is None:
            with _translated(self._found):
                self._images = self._best("images", self._image_side, _sample_images(self.side))
        parts = [frames[n : n + self.batch] for n in range(0, len(frames), self.batch)]
        return _unit(np.concatenate([self._images(part, between) for part in parts]))

    def seen(self, frame: Image) -> Image:
        """What it looks at of a frame: cropped and resized."""
        if self._processor is None:
            with _translated(self._found):
                self._processor = preprocessing.processor(self._found)
        return preprocessing.seen(self._processor, frame)

    def complete(self) -> None:
        """Load what is still left for its first use, each side in its best numbers.

        raises   ModelUnusable, ModelTooLarge
        """
        with _translated(self._found):
            self._images = self._best("images", self._image_side, _sample_images(self.side))
            self._texts = self._best("texts", self._text_side, _sample_texts)
        self._weights.rest()

    def _text_side(self, numbers: packed.Numbers | None) -> Texts:
        """The text tower in these numbers; None: without torch, if that can be."""
        padded = self._found.family in PADDED_FAMILIES
        try:
            arithmetic = None if numbers is None else packed.InTorch(numbers)
            tower = text_tower(self._found, self._weights, arithmetic)
            return _OwnTexts(tower, tokens(self._found, tower.context, padded=padded))
        except Unfamiliar as difference:
            from index.embed import by_transformers

            log.info("texts by transformers: %s has %s", self.name, difference)
            return by_transformers.Texts(self._found, numbers or "plain", self._on, padded=padded)

    def _image_side(self, numbers: packed.Numbers) -> Images:
        try:
            pixels = preprocessing.normalisation(self._found)
            if pixels is None or self.resample is None:
                raise Unfamiliar("a preprocessing of its own")
            products = packed.Products(numbers, self._on)
            return _OwnImages(self, image_tower(self._found, self._weights, products, *pixels))
        except Unfamiliar as difference:
            from index.embed import by_transformers

            log.info("pictures by transformers: %s has %s", self.name, difference)
            return by_transformers.Images(self._found, numbers, self._on)

    def _best(
        self,
        side: Side,
        build: Callable[[packed.Numbers], Any],
        sample: Callable[[Any], Floats],
    ) -> Any:
        """One side in the first numbers that hold on this machine.

        They hold when they answer the samples as the plain ones do and, on a CPU, in less time;
        the others are said in the log.
        """
        plain = build("plain")
        wanted = NUMBERS[side][self._precision]
        device = self._on if side == "images" else _device(self.name, "cpu")
        wanted = tuple(numbers for numbers in wanted if packed.supported(numbers, device.type))
        if not wanted:
            return plain
        before = _timed(sample, plain)
        least = LEAST_COSINE[side][self._precision]
        for numbers in wanted:
            try:
                made = build(numbers)
                after = _timed(sample, made)
            except Exception as exc:  # an operator that this build of torch or this model hasn't
                objection: str | None = str(exc).strip().partition("\n")[0] or type(exc).__name__
            else:
                objection = _objection(before, after, least, timed=device.type == "cpu")
            if objection is None:
                log.info("%s of %s in %s", side, self.name, numbers)
                return made
            log.info("%s of %s not in %s: %s", side, self.name, numbers, objection)
        return plain


class _OwnTexts:
    def __init__(self, tower: TextTower, read: Tokens) -> None:
        self._tower = tower
        self._read = read
        self.dimension = tower.dimension

    def __call__(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        ids, read = self._read(texts)
        return self._tower(ids), read


class _OwnImages:
    def __init__(self, model: ClipEmbedder, tower: ImageTower) -> None:
        self._model = model
        self._tower = tower

    def __call__(self, frames: Sequence[Image], between: Between = None) -> Floats:
        size = (self._model.side, self._model.side)
        seen = [frame if frame.size == size else self._model.seen(frame) for frame in frames]
        pixels = np.stack([np.asarray(one) for one in seen])
        features: Floats = self._tower(pixels, between).cpu().numpy()
        return features


def _sample_images(side: int) -> Callable[[Images], Floats]:
    """Asks for soft patches of colour, always the same."""
    from PIL import Image as images

    random = np.random.default_rng(0)
    patches = random.integers(0, 256, (SAMPLES, 6, 6, 3), dtype=np.uint8)
    frames = [
        images.fromarray(patch).resize((side, side), images.Resampling.BICUBIC) for patch in patches
    ]
    return lambda images: images(frames)


def _sample_texts(texts: Texts) -> Floats:
    """Asks for each by itself, as questions come."""
    return np.concatenate([texts([text])[0] for text in SAMPLE_TEXTS])


def _timed(sample: Callable[[T], Floats], side: T) -> tuple[Floats, float]:
    """Unit answers to the samples, and the least seconds they took of three times."""
    taken = []
    for _ in range(3):
        began = time.thread_time()  # what else the machine does isn't counted
        features = sample(side)
        taken.append(time.thread_time() - began)
    return _unit(features), min(taken)


def _objection(
    before: tuple[Floats, float], after: tuple[Floats, float], least_cosine: float, *, timed: bool
) -> str | None:
    """Why these answers and times are no good beside the plain ones, or None when they are."""
    cosine = float((after[0] * before[0]).sum(axis=1).min())
    if not cosine >= least_cosine:  # NaN is no answer either
        return f"its answers differ (cosine {cosine:.5f})"
    if timed and after[1] >= before[1]:
        return f"it takes {after[1] / before[1]:.2f} times as long"
    return None


def load(
    found: Checkpoint, device: str = "auto", precision: Precision = "exact", *, whole: bool = True
) -> ClipEmbedder:
    """The checkpoint, ready to embed.

    whole    everything is in memory and on the device when it returns; False: ready for words,
             the rest when it is first needed

    raises   ModelUnusable, ModelTooLarge
    """
    checkpoints.check_memory(found)
    with _translated(found):
        made = ClipEmbedder(found, device, precision)
        if whole:
            made.complete()
        elif device not in ("auto", "cpu"):
            _device(found.name, device)  # refused now rather than with the first picture
        return made


def _device(name: str, wanted: str) -> torch.device:
    """The device of this name; "auto": the fastest kind that is there."""
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    here = ", ".join(kind for kind, there in present.items() if there)
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise ModelUnusable(name, f"{wanted!r} is not a device; this machine has {here}") from None
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if not present.get(device.type, False) or (device.index or 0) >= count:
        raise ModelUnusable(name, f"this machine has no device {wanted!r}; it has {here}")
    return device


def _unit(features: Floats) -> Floats:
    unit: Floats = features / np.linalg.norm(features, axis=-1, keepdims=True).clip(1e-12)
    return unit


@contextlib.contextmanager
def _translated(found: Checkpoint) -> Iterator[None]:
    """The many errors of loading as one of ours."""
    try:
        yield
    except (ModelUnusable, ModelTooLarge):
        raise
    except MemoryError as exc:
        raise _too_large(found) from exc
    except Exception as exc:  # safetensors, tokenizers and torch each raise their own
        if "allocate memory" in str(exc) or "out of memory" in str(exc).lower():
            raise _too_large(found) from exc
        reason = str(exc).strip().splitlines() or [type(exc).__name__]
        raise ModelUnusable(found.name, reason[0].rstrip(".")) from exc


def _too_large(found: Checkpoint) -> ModelTooLarge:
    return ModelTooLarge(
        found.name, checkpoints.needed_bytes(found), checkpoints.available_bytes() or 0
    )
