"""The towers of other architectures, such as SigLIP 2 with free resolution, by transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embed import packed, preprocessing
from index.embed.checkpoint import Checkpoint
from index.embed.completeness import lacking_in_transformers
from index.embed.device import compute_on_one_core
from index.embed.tokens import FromTransformers
from index.types.errors import ModelUnusable
from index.types.records import Floats

if TYPE_CHECKING:
    from PIL.Image import Image

# The modules of each side of a model, as CLIP and SigLIP name them.
IMAGES = ("vision_model", "visual_projection")
TEXTS = ("text_model", "text_projection")


class Images:
    """The image side: features of frames, by the model's own preprocessing."""

    def __init__(
        self, checkpoint: Checkpoint, number_format: packed.NumberFormat, device: str
    ) -> None:
        """raises   ModelUnusable, and whatever transformers raises"""
        self._model = _one_side(checkpoint, IMAGES, TEXTS, number_format, device)
        self._device = device
        self._processor = preprocessing.processor(checkpoint)

    def __call__(self, frames: Sequence[Image], between: object = None) -> Floats:
        """Features, (len(frames), d)."""
        import torch

        with torch.inference_mode():
            pixels = self._processor(images=list(frames), return_tensors="pt")
            return _features(self._model.get_image_features(**pixels.to(self._device)))


class Texts:
    """The text side: features of texts."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        number_format: packed.NumberFormat,
        device: str,
        *,
        padded: bool,
    ) -> None:
        """raises   ModelUnusable, and whatever transformers raises"""
        self._model = _one_side(checkpoint, TEXTS, IMAGES, number_format, device)
        self._device = device
        self._tokens = FromTransformers(checkpoint, _context(self._model), padded=padded)
        self.dimension = int(self(["a"])[0].shape[-1])

    def __call__(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        """Features, (len(texts), d); and for each text the part that was read, or None for all."""
        import torch

        ids, read = self._tokens(texts)
        with torch.inference_mode():  # one by one, so that there is no padding and no mask
            features = [
                _features(self._model.get_text_features(torch.tensor([text], device=self._device)))
                for text in ids
            ]
        return np.concatenate(features), read

    def pieces(self, text: str) -> int:
        """How many pieces the tokenizer cuts the text into."""
        return self._tokens.pieces(text)


def _context(model: Any) -> int:
    """How many tokens its text side has positions for.

    Families after RoBERTa number positions from the one behind their padding.
    """
    positions = int(model.config.text_config.max_position_embeddings)
    for name, module in model.named_modules():
        if (
            name.endswith("position_embeddings")
            and getattr(module, "padding_idx", None) is not None
        ):
            return positions - int(module.padding_idx) - 1
    return positions


def _one_side(
    checkpoint: Checkpoint,
    kept: Sequence[str],
    dropped: Sequence[str],
    number_format: packed.NumberFormat,
    device: str,
) -> Any:
    """The model without the modules of its other side, its layers packed."""
    compute_on_one_core()
    with preprocessing.quiet():
        model = _from_pretrained(checkpoint)
    for name in dropped:
        if hasattr(model, name):
            setattr(model, name, None)
    if number_format == "float16":
        model.half()
    elif number_format != "plain":
        packed.pack(model, kept, number_format)
    return model.eval().requires_grad_(False).to(device)


def _from_pretrained(checkpoint: Checkpoint) -> Any:
    import torch

    if found := lacking_in_transformers(checkpoint.config):
        raise ModelUnusable(checkpoint.name, found)
    model, report = _class(checkpoint).from_pretrained(
        checkpoint.folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    missing = sorted(report["missing_keys"]) + sorted(map(str, report.get("mismatched_keys", ())))
    if missing:
        raise ModelUnusable(
            checkpoint.name, f"its weights lack {len(missing)} of its layers, such as {missing[0]}"
        )
    return model


def _class(checkpoint: Checkpoint) -> Any:
    import transformers

    named = {"clip": "CLIPModel", "siglip": "SiglipModel", "siglip2": "Siglip2Model"}
    return getattr(transformers, named.get(checkpoint.family, "AutoModel"))


def _features(output: Any) -> Floats:
    """The features of an output. Since version 5, transformers wraps them in an object."""
    features: Floats = getattr(output, "pooler_output", output).float().cpu().numpy()
    return features
