"""Frames and texts to unit vectors: with `packed`, the only module that knows torch.

CLIP, SigLIP and SigLIP 2 (with fixed and with free resolution), each with its own
tokenizer and preprocessing, all read from the checkpoint. What is here runs in one
thread, see `model_thread`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

from index import checkpoint as checkpoints
from index import packed
from index.checkpoint import Checkpoint
from index.errors import ModelTooLarge, ModelUnusable
from index.images import Shape
from index.records import Floats, Precision

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

log = logging.getLogger(__name__)

Side: TypeAlias = Literal["images", "texts"]
# A model's modules for each side, as CLIP and SigLIP name them.
PARTS: dict[Side, tuple[str, ...]] = {
    "images": ("vision_model", "visual_projection"),
    "texts": ("text_model", "text_projection"),
}
# What a side may at worst answer on the samples, as cosine to its exact answer.
LEAST_COSINE = {"auto": 0.999, "default": 0.999, "fast": 0.99}
# Tried for pictures, best first; texts stay float32: few rows, and every digit of a question.
NUMBERS: dict[str, tuple[packed.Precision, ...]] = {
    "auto": ("bfloat16", "float32"),
    "default": ("bfloat16", "float32"),
    "fast": ("int8", "bfloat16", "float32"),
}
SAMPLES = 2  # of each side, when an answer is checked
SAMPLE_TEXTS = ("a dog in the snow", "screenshot of a red error message")

# Texts whose padding is part of what the model learnt: they are never trimmed.
PADDED_FAMILIES = frozenset({"siglip", "siglip2"})
# Far more than the 64 or 77 tokens of any context: a book needn't be taken apart first.
MAX_CHARACTERS = 10_000
# Pictures in one call. On a CPU a batch is hardly faster than its pictures one by one, and
# a question waits for the batch before it; a GPU is idle with less.
CPU_BATCH = 4
GPU_BATCH = 64


class Embedder(Protocol):
    """What a gallery needs of a model; `ClipEmbedder` is the real one."""

    name: str
    revision: str
    dimension: int
    side: int  # the edge, in pixels, of what it looks at
    shape: Shape  # how a picture is brought to it
    resample: int | None  # its resize's filter, where frames may come as it would leave them
    batch: int  # frames in one call

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda:0"."""

    def images(self, frames: Sequence[Image]) -> Floats:
        """(len(frames), d) float32, unit rows."""

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """(len(texts), d) unit rows; and for each text that was too long, what was read."""

    def seen(self, frame: Image) -> Image:
        """What it looks at of a frame: cropped and resized."""


class ClipEmbedder:
    """A checkpoint with an image and a text tower, loaded by `load`."""

    def __init__(self, found: Checkpoint, model: Any, device: torch.device) -> None:
        self.name = found.name
        self.revision = found.revision
        self.batch = CPU_BATCH if device.type == "cpu" else GPU_BATCH
        self._found = found
        self._model = model
        self._device = device
        self._tokenizer: Any = None
        self._processor: Any = None
        self._padded = found.family in PADDED_FAMILIES
        self._context = int(model.config.text_config.max_position_embeddings)
        self.dimension = self._measured_dimension()
        self.side = side(found)
        self.shape = shape(found)
        self.resample = resample(found)

    @property
    def device(self) -> str:
        return str(self._device)

    def _measured_dimension(self) -> int:
        """Asked of the model itself: configurations name it in different ways."""
        return int(self._text_features(self._tokens(["a"])).shape[-1])

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """(len(texts), d) unit rows; and for each text that was too long, what was read."""
        return _unit(self._text_features(self._tokens(texts))), [self._read(t) for t in texts]

    def _text_features(self, tokens: Any) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            return _pooled(self._model.get_text_features(**tokens.to(self._device)))

    def _tokens(self, texts: Sequence[str]) -> Any:
        """Token ids, trimmed to the longest of these texts where that changes nothing.

        CLIP looks backwards only and takes the place of the end token, so padding behind it
        can't be seen: trimming is exact and, for five words, three times as fast.
        """
        return self._loaded_tokenizer()(
            [text[:MAX_CHARACTERS] for text in texts],
            padding="max_length" if self._padded else "longest",
            truncation=True,
            max_length=self._context,
            return_tensors="pt",
        )

    def _read(self, text: str) -> str | None:
        """The words that fit in the context; None when all of them do."""
        tokenizer = self._loaded_tokenizer()
        text = text[:MAX_CHARACTERS]
        if len(tokenizer(text, verbose=False)["input_ids"]) <= self._context:
            return None
        kept = tokenizer(text, truncation=True, max_length=self._context)["input_ids"]
        if not tokenizer.is_fast:
            return str(tokenizer.decode(kept, skip_special_tokens=True)).strip()
        offsets = tokenizer(
            text, truncation=True, max_length=self._context, return_offsets_mapping=True
        )["offset_mapping"]
        end = max(end for _, end in offsets)
        whole = not text[end : end + 1].strip()
        return text[:end].strip() if whole else (text[:end].rpartition(" ")[0] or text[:end])

    def _loaded_tokenizer(self) -> Any:
        if self._tokenizer is None:
            from transformers import AutoTokenizer

            with _quiet(), _translated(self._found):
                self._tokenizer = AutoTokenizer.from_pretrained(
                    self._found.folder, local_files_only=True
                )
        return self._tokenizer

    def images(self, frames: Sequence[Image]) -> Floats:
        """(len(frames), d) float32, unit rows."""
        import torch

        with torch.inference_mode():
            pixels = self._loaded_processor()(images=list(frames), return_tensors="pt")
            features = self._model.get_image_features(**pixels.to(self._device))
            return _unit(_pooled(features))

    def seen(self, frame: Image) -> Image:
        """What it looks at of a frame: cropped and resized."""
        return seen(self._loaded_processor(), frame)

    def pack(self, side: Side, numbers: packed.Precision) -> None:
        """Let one side compute in these numbers, see `packed`."""
        packed.pack(self._model, PARTS[side], numbers)

    def sample(self, side: Side) -> tuple[Floats, float]:
        """What one side answers to the samples, and the least seconds it took of three times."""
        frames = _sample_frames(self.side)
        taken = []
        for _ in range(3):
            began = time.thread_time()  # what else the machine does isn't counted
            vectors = self.images(frames) if side == "images" else self.texts(SAMPLE_TEXTS)[0]
            taken.append(time.thread_time() - began)
        return vectors, min(taken)

    def _loaded_processor(self) -> Any:
        """The checkpoint's own preprocessing; loaded with the first picture, since a question
        in words needs none of it."""
        if self._processor is None:
            self._processor = processor(self._found)
        return self._processor


def _sample_frames(side: int) -> list[Image]:
    """Soft patches of colour, always the same."""
    from PIL import Image as images

    random = np.random.default_rng(0)
    patches = random.integers(0, 256, (SAMPLES, 6, 6, 3), dtype=np.uint8)
    return [
        images.fromarray(patch).resize((side, side), images.Resampling.BICUBIC) for patch in patches
    ]


def processor(found: Checkpoint) -> Any:
    """The checkpoint's image processor, in Pillow's arithmetic everywhere.

    torchvision, where it is installed, resizes a little differently: the same picture would
    get another vector on another machine.
    """
    import transformers

    auto: Any = transformers.AutoImageProcessor  # without annotations
    with _quiet(), _translated(found):
        return auto.from_pretrained(found.folder, local_files_only=True, backend="pil")


def seen(processor: Any, frame: Image) -> Image:
    """The pixels that a processor makes of a frame, with their colours as they were."""
    from PIL import Image as images

    pixels = processor(images=[frame], return_tensors="np")
    values = np.asarray(pixels["pixel_values"][0])
    if "spatial_shapes" in pixels:
        values = _from_patches(values, *np.asarray(pixels["spatial_shapes"][0]).tolist())
    mean, deviation = (
        np.asarray(numbers, np.float32)[:, None, None]
        for numbers in (processor.image_mean, processor.image_std)
    )
    colours = ((values * deviation + mean) * 255).round().clip(0, 255).astype(np.uint8)
    return images.fromarray(np.ascontiguousarray(colours.transpose(1, 2, 0)))


def load(found: Checkpoint, device: str = "auto", precision: Precision = "exact") -> ClipEmbedder:
    """The checkpoint in memory, on the device, ready to embed.

    raises   ModelUnusable, ModelTooLarge
    """
    checkpoints.check_memory(found)
    made = _load(found, device)
    if precision == "exact" or made.device != "cpu":
        return made
    return _sooner(made, found, precision)


def _load(found: Checkpoint, device: str) -> ClipEmbedder:
    with _quiet(), _translated(found):
        chosen = _device(found.name, device)
        model = _from_pretrained(found).eval().requires_grad_(False).to(chosen)
        return ClipEmbedder(found, model, chosen)


def _sooner(made: ClipEmbedder, found: Checkpoint, precision: Precision) -> ClipEmbedder:
    """The embedder with each side packed in the first way that holds on this machine.

    A way holds when it answers the samples as the exact side does, and in less time; the others
    are said in the log. Weights are replaced in place, so one that fails is read again.
    """
    kept: dict[Side, packed.Precision] = {}
    for side in PARTS:
        before = made.sample(side)
        for numbers in NUMBERS[precision] if side == "images" else ("float32",):
            if not packed.supported(numbers):
                continue
            objection = _objection(made, side, numbers, before, LEAST_COSINE[precision])
            if objection is None:
                kept[side] = numbers
                break
            log.info("%s in %s: %s", side, numbers, objection)
            made = _load(found, "cpu")
            for done, with_numbers in kept.items():
                made.pack(done, with_numbers)
    log.info("%s computes %s", found.name, kept or "as transformers does")
    return made


def _objection(
    made: ClipEmbedder,
    side: Side,
    numbers: packed.Precision,
    before: tuple[Floats, float],
    least_cosine: float,
) -> str | None:
    """Pack a side; why that is no good, or None when it is."""
    try:
        made.pack(side, numbers)
        vectors, seconds = made.sample(side)
    except Exception as exc:  # an operator that this build of torch or this model hasn't
        return str(exc).strip().partition("\n")[0] or type(exc).__name__
    cosine = float((vectors * before[0]).sum(axis=1).min())
    if not cosine >= least_cosine:  # NaN is no answer either
        return f"its answers differ (cosine {cosine:.4f})"
    if seconds >= before[1]:
        return f"it takes {seconds / before[1]:.2f} times as long"
    return None


def _from_pretrained(found: Checkpoint) -> Any:
    import torch

    model, report = _model_class(found).from_pretrained(
        found.folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    missing = sorted(report["missing_keys"]) + sorted(map(str, report.get("mismatched_keys", ())))
    if missing:
        raise ModelUnusable(
            found.name, f"its weights lack {len(missing)} of its layers, such as {missing[0]}"
        )
    if not hasattr(model, "get_text_features") or not hasattr(model, "get_image_features"):
        raise ModelUnusable(
            found.name, f"a {found.family!r} model doesn't have both an image and a text side"
        )
    return model


def _model_class(found: Checkpoint) -> Any:
    import transformers

    named = {"clip": "CLIPModel", "siglip": "SiglipModel", "siglip2": "Siglip2Model"}
    return getattr(transformers, named.get(found.family, "AutoModel"))


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


def side(found: Checkpoint) -> int:
    """The edge, in pixels, that preprocessing brings a picture to, from its configuration."""
    settings = _preprocessing(found)
    if settings.get("max_num_patches"):
        # Free resolution: the shorter edge is at most that of the square with as many patches.
        return math.isqrt(int(settings["max_num_patches"])) * int(settings.get("patch_size", 16))
    sizes = (settings.get("size"), settings.get("crop_size"))
    edges = [e for size in sizes for e in (size.values() if isinstance(size, dict) else [size])]
    vision = found.config.get("vision_config") or {}
    return max([int(edge) for edge in edges if edge] or [int(vision.get("image_size", 224))])


def shape(found: Checkpoint) -> Shape:
    """How preprocessing brings a picture to its size."""
    settings = _preprocessing(found)
    if settings.get("max_num_patches"):
        return "free"
    size = settings.get("size")
    return "crop" if isinstance(size, dict) and "shortest_edge" in size else "squeeze"


def resample(found: Checkpoint) -> int | None:
    """The filter of preprocessing's resize, as Pillow numbers them; None where resizing and
    cropping are not the two plain steps that `images.decode` can take at once."""
    settings = _preprocessing(found)
    size, crop = settings.get("size"), settings.get("crop_size")
    filter_ = settings.get("resample")
    if not isinstance(size, dict) or not isinstance(filter_, int):
        return None
    if settings.get("max_num_patches") or not settings.get("do_resize", True):
        return None
    edges = set(size.values())
    if "shortest_edge" in size:
        crops = set(crop.values()) if isinstance(crop, dict) else {crop}
        plain = bool(settings.get("do_center_crop", True)) and crops == edges
    else:
        plain = len(edges) == 1 and not settings.get("do_center_crop", False)
    return filter_ if plain else None


def _preprocessing(found: Checkpoint) -> dict[str, Any]:
    for name in ("preprocessor_config.json", "processor_config.json"):
        file = found.folder / name
        if file.is_file():
            settings: dict[str, Any] = json.loads(file.read_bytes())
            nested = settings.get("image_processor")
            return nested if isinstance(nested, dict) else settings
    return {}


def _from_patches(patches: Floats, rows: int, columns: int) -> Floats:
    """(3, height, width) of the (n, size · size · 3) patches of a free resolution."""
    size = math.isqrt(patches.shape[1] // 3)
    grid = patches[: rows * columns].reshape(rows, columns, size, size, 3)
    return grid.transpose(4, 0, 2, 1, 3).reshape(3, rows * size, columns * size)


def _pooled(output: Any) -> torch.Tensor:
    """The features themselves, which transformers wraps since version 5."""
    features: torch.Tensor = getattr(output, "pooler_output", output)
    return features


def _unit(features: torch.Tensor) -> Floats:
    vectors = features.float().cpu().numpy()
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-12)
    return unit


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """transformers' notices and bars kept out of the terminal while a folder is loaded."""
    from transformers.utils import logging as notices

    logging: Any = notices  # without annotations
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


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
