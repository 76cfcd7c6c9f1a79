"""The peer: transformers, called as its documentation shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from index.types.records import Floats


class Transformers:
    """A CLIP checkpoint behind `AutoProcessor` and `CLIPModel`, float32, on the CPU."""

    def __init__(self, folder: Path) -> None:
        import transformers

        library: Any = transformers  # large parts of it have no types
        self._model = library.CLIPModel.from_pretrained(folder).eval()
        self._processor = library.AutoProcessor.from_pretrained(folder)

    def images(self, frames: list[Any]) -> Floats:
        """(n, d) features of Pillow pictures, as the model gives them."""
        import torch

        with torch.inference_mode():
            inputs = self._processor(images=frames, return_tensors="pt")
            features: Floats = self._model.get_image_features(**inputs).pooler_output.numpy()
            return features

    def pixels(self, frames: list[Any]) -> Floats:
        """(n, 3, edge, edge) pixels of Pillow pictures, normalised."""
        pixels: Floats = self._processor(images=frames, return_tensors="np")["pixel_values"]
        return pixels

    def ids(self, text: str) -> Any:
        """(1, tokens) ids of a text, not padded."""
        return self._processor(text=text, return_tensors="np")["input_ids"]

    def text(self, text: str) -> Floats:
        """(1, d) features of a text, padded to the full context."""
        import torch

        with torch.inference_mode():
            inputs = self._processor(text=text, padding="max_length", return_tensors="pt")
            features: Floats = self._model.get_text_features(**inputs).pooler_output.numpy()
            return features
