"""A checkpoint's preprocessing, read from its configuration: size, filter, normalisation."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embed import tips
from index.embed.checkpoint import Checkpoint
from index.embed.geometry import LIKE_CLIP
from index.images.resize import Shape
from index.types.records import Floats

if TYPE_CHECKING:
    from PIL.Image import Image

# The mean and deviation of pixels that these families use when their configuration has none.
CLIP_MEAN, CLIP_DEVIATION = (
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
)
HALF = (0.5, 0.5, 0.5)
# Families whose towers are computed here, so that a question in words imports no transformers.
OWN_FAMILIES = frozenset({*LIKE_CLIP, "siglip", "siglip2", tips.FAMILY})


def side(checkpoint: Checkpoint) -> int:
    """The edge, in pixels, of the square that preprocessing makes."""
    settings = _settings(checkpoint)
    if settings.get("max_num_patches"):
        # Free resolution: the short edge is at most that of a square with this many patches.
        return math.isqrt(int(settings["max_num_patches"])) * int(settings.get("patch_size", 16))
    sizes = (settings.get("size"), settings.get("crop_size"))
    edges = [e for size in sizes for e in (size.values() if isinstance(size, dict) else [size])]
    vision = checkpoint.config.get("vision_config") or {}
    return max([int(edge) for edge in edges if edge] or [int(vision.get("image_size", 224))])


def shape(checkpoint: Checkpoint) -> Shape:
    """How preprocessing brings a picture to its size: see `Shape`."""
    settings = _settings(checkpoint)
    if settings.get("max_num_patches"):
        return "free"
    return "crop" if "shortest_edge" in _size(checkpoint, settings) else "squeeze"


def resample(checkpoint: Checkpoint) -> int | None:
    """The filter of preprocessing's resize, as Pillow numbers them.

    returns  None when preprocessing isn't a plain resize and crop, which `images.decode` can do in
             one step
    """
    settings = _settings(checkpoint)
    size, crop = _size(checkpoint, settings), settings.get("crop_size")
    filter_ = settings.get("resample")
    if not size or not isinstance(filter_, int):
        return None
    if settings.get("max_num_patches") or not settings.get("do_resize", True):
        return None
    edges = set(size.values())
    crops = set(crop.values()) if isinstance(crop, dict) else {crop}
    if "shortest_edge" in size:
        plain = bool(settings.get("do_center_crop", True)) and crops == edges
    else:  # MetaCLIP 2 squeezes, and then crops to the size that the picture already has
        plain = len(edges) == 1 and (not settings.get("do_center_crop", False) or crops == edges)
    return filter_ if plain else None


def normalisation(checkpoint: Checkpoint) -> tuple[Floats, Floats] | None:
    """The mean and the deviation by which pixels in [0, 1] are normalised, each (3,).

    returns  None when preprocessing does anything else to pixels
    """
    settings = _settings(checkpoint)
    usual = abs(float(settings.get("rescale_factor", 1 / 255)) * 255 - 1) < 1e-6
    if not (usual and settings.get("do_rescale", True)):
        return None
    if not settings.get("do_normalize", True):
        return np.zeros(3, np.float32), np.ones(3, np.float32)
    clip = checkpoint.family in LIKE_CLIP
    mean = settings.get("image_mean", CLIP_MEAN if clip else HALF)
    deviation = settings.get("image_std", CLIP_DEVIATION if clip else HALF)
    return np.asarray(mean, np.float64), np.asarray(deviation, np.float64)


def _size(checkpoint: Checkpoint, settings: dict[str, Any]) -> dict[str, int]:
    """The size that a picture is resized to; in old files of CLIP it is one number."""
    size = settings.get("size")
    if isinstance(size, int):
        return (
            {"shortest_edge": size}
            if checkpoint.family in LIKE_CLIP
            else {"height": size, "width": size}
        )
    return size if isinstance(size, dict) else {}


def _settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the checkpoint's files say of its preprocessing.

    Other families have defaults of their own, which transformers knows. It computes them anyway.
    """
    if checkpoint.family == tips.FAMILY:
        return tips.PREPROCESSING | _settings_in_files(checkpoint)
    if checkpoint.family in OWN_FAMILIES:
        return _settings_in_files(checkpoint)
    made: dict[str, Any] = processor(checkpoint).to_dict()
    return made


def _settings_in_files(checkpoint: Checkpoint) -> dict[str, Any]:
    for name in ("preprocessor_config.json", "processor_config.json"):
        file = checkpoint.folder / name
        if file.is_file():
            settings: dict[str, Any] = json.loads(file.read_bytes())
            nested = settings.get("image_processor")
            return nested if isinstance(nested, dict) else settings
    return {}


def processor(checkpoint: Checkpoint) -> Any:
    """The checkpoint's image processor, always with Pillow's resize.

    torchvision, where it is installed, resizes a little differently. With it, the same picture
    would get another vector on another machine. For TIPS, transformers has only torchvision's
    resize. What SigLIP's processor does with Pillow is the same, if it is given other numbers.
    """
    import transformers

    if checkpoint.family == tips.FAMILY:
        from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

        known = {name: _settings(checkpoint)[name] for name in tips.PREPROCESSING}
        return SiglipImageProcessorPil(**known)

    auto: Any = transformers.AutoImageProcessor  # has no annotations
    with quiet():
        return auto.from_pretrained(checkpoint.folder, local_files_only=True, backend="pil")


def seen(processor: Any, frame: Image) -> Image:
    """The picture that a processor makes of a frame, in its original colours."""
    from PIL import Image as images

    pixels = processor(images=[frame], return_tensors="np")
    values = np.asarray(pixels["pixel_values"][0])
    if "spatial_shapes" in pixels:
        values = _from_patches(values, *np.asarray(pixels["spatial_shapes"][0]).tolist())
    if processor.do_normalize:
        mean, deviation = (
            np.asarray(numbers, np.float32)[:, None, None]
            for numbers in (processor.image_mean, processor.image_std)
        )
        values = values * deviation + mean
    colours = (values * 255).round().clip(0, 255).astype(np.uint8)
    return images.fromarray(np.ascontiguousarray(colours.transpose(1, 2, 0)))


def _from_patches(patches: Floats, rows: int, columns: int) -> Floats:
    """The pixels, (3, height, width), of the patches of a free resolution, (n, size · size · 3)."""
    size = math.isqrt(patches.shape[1] // 3)
    grid = patches[: rows * columns].reshape(rows, columns, size, size, 3)
    return grid.transpose(4, 0, 2, 1, 3).reshape(3, rows * size, columns * size)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' messages and progress bars out of the terminal while it loads a folder."""
    from transformers.utils import logging as untyped

    logging: Any = untyped  # has no annotations
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
