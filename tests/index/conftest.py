"""Fixtures for the tests of `index`: a tiny CLIP in a folder, and real photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
import skimage

from tests.index import checkpoints
from tests.index.colours import ColourEmbedder


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a seeded CLIP of a few thousand weights, its tokenizer and preprocessing."""
    return checkpoints.tiny_clip(tmp_path_factory.mktemp("models").resolve() / "clip")


@pytest.fixture(scope="session")
def photographs() -> dict[str, bytes]:
    """Photographs from scikit-image's package, by name."""
    folder = Path(skimage.__file__).parent / "data"
    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg")
    return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture
def embedder() -> ColourEmbedder:
    """An embedder that sees only colour, and knows the names of a few."""
    return ColourEmbedder()
