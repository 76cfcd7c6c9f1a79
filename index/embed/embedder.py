"""Frames and texts to unit vectors: what a gallery needs of a model, and CLIP and SigLIP for it.

Each checkpoint brings its own tokenizer and preprocessing. The towers of CLIP, SigLIP, MetaCLIP 2
and TIPS v2 are computed by `text_tower` and `image_tower`. A tower of any other architecture, such
as SigLIP 2 with free resolution, is computed by transformers. Several threads call it at once, see
`model_threads`.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from index.embed import checkpoint as checkpoints
from index.embed import packed, preprocessing, tips
from index.embed.calibration import calibrated, sample_images, sample_texts, unit
from index.embed.checkpoint import Checkpoint
from index.embed.device import device_named, kind_of
from index.embed.geometry import UnknownArchitecture
from index.embed.image_tower import ImageTower, image_tower, rows_of
from index.embed.packed import NumberFormat
from index.embed.text_tower import TextTower, text_tower
from index.embed.tokens import Tokens, tokens
from index.embed.weights import Weights
from index.images.resize import Shape
from index.types.errors import ModelTooLarge, ModelUnusable
from index.types.records import Floats, Languages, Precision

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

Between: TypeAlias = "Callable[[], None] | None"

# Families that were trained with padded texts. The padding changes their vectors, so their texts
# are never trimmed.
PADDED_FAMILIES = frozenset({"siglip", "siglip2"})
# Pictures in one call. On a CPU, twice as many are 2 % faster, but a question waits twice as long
# for the pictures before it. A GPU is idle with fewer than its number.
CPU_BATCH = 8
GPU_BATCH = 64


class Embedder(Protocol):
    """What a gallery needs of a model; `ClipEmbedder` is the real one."""

    name: str
    revision: str
    dimension: int
    side: int  # the edge, in pixels, of the square that it looks at
    shape: Shape  # how a picture is brought to that size
    # The filter of its resize, so that frames can be resized in advance; None when they can't be.
    resample: int | None
    # What it multiplies cosines with, for the probability that a text belongs to a picture; None
    # when that isn't known. And what it then adds; None when it compares texts with each other.
    scale: float | None
    bias: float | None
    languages: Languages

    @property
    def batch(self) -> int:
        """Frames in one call."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda:0"; what was asked for until that is known."""

    def images(self, frames: Sequence[Image], between: Between = None) -> Floats:
        """Unit rows, (len(frames), d) float32.

        between  is called several times during the call, for work that can't wait for its end
        """

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """Unit rows, (len(texts), d); and for each text the part that was read, or None for all."""

    def pieces(self, text: str) -> int:
        """How many pieces its tokenizer cuts a short text into."""

    def seen(self, frame: Image) -> Image:
        """The frame as it sees it: cropped and resized."""

    def complete(self) -> None:
        """Load what would otherwise be loaded at its first use; texts may be embedded meanwhile.

        raises   ModelError
        """


class Texts(Protocol):
    """The text side: features, not yet of unit length, and the part that was read of each text."""

    dimension: int

    def __call__(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]: ...

    def pieces(self, text: str) -> int:
        """How many pieces its tokenizer cuts the text into."""


class Images(Protocol):
    """The image side: features of frames, not yet of unit length."""

    def __call__(self, frames: Sequence[Image], between: Between = None) -> Floats: ...


class ClipEmbedder:
    """A checkpoint with an image and a text tower, made by `load`.

    A question in words needs neither the image tower nor torch. Both are loaded with the first
    picture, unless `load` was told to load everything.
    """

    def __init__(self, checkpoint: Checkpoint, device: str, precision: Precision) -> None:
        self.name = checkpoint.name
        self.revision = checkpoint.revision
        self.languages = checkpoint.languages
        self.side = preprocessing.side(checkpoint)
        self.shape = preprocessing.shape(checkpoint)
        self.resample = preprocessing.resample(checkpoint)
        self._checkpoint = checkpoint
        self._device_name = device
        self._precision = precision
        self._weights = Weights(checkpoint)
        self.scale = _number(self._weights, "logit_scale", math.exp)
        if checkpoint.family == tips.FAMILY:
            self.scale = tips.scale(checkpoint.config, self._weights)
            self._weights = tips.as_clip(checkpoint.config, self._weights)
        self.bias = _number(self._weights, "logit_bias", float)
        self._device: str | None = None
        self._images: Images | None = None
        self._texts = self._text_side(None)
        self.dimension = self._texts.dimension
        self._processor: Any = None

    @property
    def device(self) -> str:
        """Where pictures are computed; what was asked for until that is known. Texts of known
        families are always computed on the CPU."""
        return self._device_name if self._device is None else self._device

    @property
    def _found_device(self) -> str:
        if self._device is None:
            self._device = device_named(self._device_name, self.name)
        return self._device

    @property
    def batch(self) -> int:
        """Frames in one call."""
        return CPU_BATCH if kind_of(self._found_device) == "cpu" else GPU_BATCH

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """Unit rows, (len(texts), d); and for each text the part that was read, or None for all."""
        features, read = self._texts(texts)
        return unit(features), read

    def pieces(self, text: str) -> int:
        """How many pieces its tokenizer cuts a short text into."""
        return self._texts.pieces(text)

    def images(self, frames: Sequence[Image], between: Between = None) -> Floats:
        """Unit rows, (len(frames), d) float32.

        between  is called within the layers of known families, for work that can't wait
        """
        if self._images is None:
            with _as_model_errors(self._checkpoint):
                self._images = self._calibrated_images()
        parts = [frames[n : n + self.batch] for n in range(0, len(frames), self.batch)]
        return unit(np.concatenate([self._images(part, between) for part in parts]))

    def seen(self, frame: Image) -> Image:
        """The frame as it sees it: cropped and resized."""
        if self._processor is None:
            with _as_model_errors(self._checkpoint):
                self._processor = preprocessing.processor(self._checkpoint)
        return preprocessing.seen(self._processor, frame)

    def complete(self) -> None:
        """Load what would otherwise be loaded at its first use, each side in its best format. Texts
        may be embedded meanwhile, and pictures not.

        raises   ModelUnusable, ModelTooLarge
        """
        with _as_model_errors(self._checkpoint):
            self._images = self._calibrated_images()
            texts: Texts = calibrated(
                "texts",
                self._precision,
                "cpu",
                self._text_side,
                sample_texts,
                self._checkpoint,
            )
            # The first call takes ten times as long as later ones; no question should wait for it.
            next(sample_texts(texts))
            self._texts = texts
        self._weights.release_memory()

    def _calibrated_images(self) -> Images:
        images: Images = calibrated(
            "images",
            self._precision,
            self._found_device,
            self._image_side,
            sample_images(self.side),
            self._checkpoint,
        )
        return images

    def _text_side(self, number_format: NumberFormat | None) -> Texts:
        """The text side in a number format; None: in numpy if possible, without importing torch."""
        padded = self._checkpoint.family in PADDED_FAMILIES
        try:
            arithmetic = None if number_format is None else packed.arithmetic(number_format)
            tower = text_tower(self._checkpoint, self._weights, arithmetic)
            return _TextSide(tower, tokens(self._checkpoint, tower.context, padded=padded))
        except UnknownArchitecture as difference:
            from index.embed import by_transformers

            log.info("texts by transformers: %s has %s", self.name, difference)
            return by_transformers.Texts(
                self._checkpoint, number_format or "plain", self._found_device, padded=padded
            )

    def _image_side(self, number_format: NumberFormat | None) -> Images:
        """The image side in a number format; None: float32, without importing torch if possible."""
        try:
            normalisation = preprocessing.normalisation(self._checkpoint)
            if normalisation is None or self.resample is None:
                raise UnknownArchitecture("a preprocessing of its own")
            rows = rows_of(self._weights)
            arithmetic = packed.image_arithmetic(number_format, self._found_device, rows)
            tower = image_tower(self._checkpoint, self._weights, arithmetic, *normalisation)
            return _ImageSide(self, tower)
        except UnknownArchitecture as difference:
            from index.embed import by_transformers

            log.info("pictures by transformers: %s has %s", self.name, difference)
            return by_transformers.Images(
                self._checkpoint, number_format or "plain", self._found_device
            )


class _TextSide:
    """Texts through our own tower."""

    def __init__(self, tower: TextTower, tokens: Tokens) -> None:
        self._tower = tower
        self._tokens = tokens
        self.dimension = tower.dimension

    def __call__(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        ids, read = self._tokens(texts)
        return self._tower(ids), read

    def pieces(self, text: str) -> int:
        """How many pieces the tokenizer cuts the text into."""
        return self._tokens.pieces(text)


class _ImageSide:
    """Frames through our own tower."""

    def __init__(self, model: ClipEmbedder, tower: ImageTower) -> None:
        self._model = model
        self._tower = tower

    def __call__(self, frames: Sequence[Image], between: Between = None) -> Floats:
        size = (self._model.side, self._model.side)
        squares = [frame if frame.size == size else self._model.seen(frame) for frame in frames]
        pixels = np.stack([np.asarray(square) for square in squares])
        return self._tower(pixels, between)


def _number(weights: Weights, name: str, read: Callable[[float], float]) -> float | None:
    """A tensor of one number, as `read` makes it; None when there is none of this name."""
    return read(float(weights[name].reshape(-1)[0])) if name in weights else None


def load(
    checkpoint: Checkpoint,
    device: str = "auto",
    precision: Precision = "exact",
    *,
    whole: bool = True,
) -> ClipEmbedder:
    """The checkpoint, ready to embed.

    whole    True: everything is in memory and on the device when it returns; False: only what words
             need, and the rest is loaded when it is first needed
    raises   ModelUnusable, ModelTooLarge
    """
    checkpoints.check_memory(checkpoint)
    with _as_model_errors(checkpoint):
        made = ClipEmbedder(checkpoint, device, precision)
        if whole:
            made.complete()
        elif device not in ("auto", "cpu"):
            device_named(device, checkpoint.name)  # refused now rather than with the first picture
        return made


@contextlib.contextmanager
def _as_model_errors(checkpoint: Checkpoint) -> Iterator[None]:
    """Raise ModelUnusable or ModelTooLarge in place of the many errors of loading."""
    try:
        yield
    except (ModelUnusable, ModelTooLarge):
        raise
    except MemoryError as exc:
        raise _too_large(checkpoint) from exc
    except Exception as exc:  # safetensors, tokenizers and torch each raise their own
        if "allocate memory" in str(exc) or "out of memory" in str(exc).lower():
            raise _too_large(checkpoint) from exc
        reason = str(exc).strip().splitlines() or [type(exc).__name__]
        raise ModelUnusable(checkpoint.name, reason[0].rstrip(".")) from exc


def _too_large(checkpoint: Checkpoint) -> ModelTooLarge:
    return ModelTooLarge(
        checkpoint.name, checkpoints.needed_bytes(checkpoint), checkpoints.available_bytes() or 0
    )
