"""Whether words in pictures can be read here: the packages of the extra `ocr`, and their models.

Nothing is imported for it, so that it costs nothing where the answer is no.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from index.types.errors import OCRUnusable

# Raise it with every change after which the same models give other lines for some picture: in
# `engine`, in `order`, or in which frames `transcriber` reads and how large. Galleries then read
# their pictures again, in the background. Otherwise new lines stand beside old ones for ever.
OWN_REVISION = 2
PACKAGES = ("rapidocr", "onnxruntime")
MISSING = (
    "the packages for it are not installed. `pip install '.[ocr]'` in Magpie's folder installs them"
)


@dataclass(frozen=True, slots=True)
class Models:
    """The files of the models that come with the packages. Nothing else is ever loaded, so nothing
    is downloaded."""

    detection: Path
    direction: Path
    recognition: Path

    @property
    def revision(self) -> str:
        """What was read with these models; another one's transcripts are read again."""
        return f"{OWN_REVISION} {self.detection.stem} {self.recognition.stem}"


def installed() -> bool:
    """Whether the packages of the extra are there."""
    return all(importlib.util.find_spec(name) for name in PACKAGES)


def models() -> Models:
    """raises   OCRUnusable when packages or models are missing"""
    if not installed():
        raise OCRUnusable(MISSING)
    spec = importlib.util.find_spec("rapidocr")
    assert spec is not None
    [package] = spec.submodule_search_locations or [""]
    found = {task: _newest(Path(package), task) for task in ("det", "cls", "rec")}
    return Models(found["det"], found["cls"], found["rec"])


def _newest(package: Path, task: str) -> Path:
    """The model for a task that the package brings; their names begin with their version."""
    files = sorted((package / "models").glob(f"*_{task}_*.onnx"))
    if not files:
        raise OCRUnusable(f"the package rapidocr has no model for it ({task}); install it anew")
    return files[-1]
