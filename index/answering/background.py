"""What pictures commonly show: the words that a question is judged against.

A cosine between words and a picture means something else for every model and every question. But
one picture's cosines with different words can be compared: the model was trained to tell which of
many texts belongs to a picture. So `cutoff` asks for each of the first candidates whether the
question fits it better than some thousand common words do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from index.types.records import Floats

FILE = "vocabulary.txt"
# The section of words for whole kinds of things, such as "animal". They are no alternatives to the
# things themselves.
GENERAL = "kinds"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Common words. general: whether each is the name of a whole kind, (v,)."""

    words: tuple[str, ...]
    general: tuple[bool, ...]


@cache
def vocabulary() -> Vocabulary:
    """The words that come with the program."""
    sections: dict[str, str] = {}
    name = ""
    for line in resources.files(__package__).joinpath(FILE).read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            sections[name] = f"{sections.get(name, '')} {line}"
    entries = [
        (" ".join(entry.split()), name == GENERAL)
        for name, text in sections.items()
        for entry in text.split(",")
        if entry.strip()
    ]
    return Vocabulary(tuple(word for word, _ in entries), tuple(general for _, general in entries))


@dataclass(frozen=True, eq=False)
class Background:
    """The vocabulary as one model reads it.

    words    (v,)     vectors  (v, d) float32, unit rows
    general  (v,) whether a word is the name of a whole kind
    scale    what the model multiplies a cosine with, e to the `logit_scale` of its checkpoint
    bias     what it then adds, of a model that judges each pair by itself (SigLIP); None for others

    The vectors of all texts have a large part in common, which says nothing about any of them. It
    is the `middle`, and `centred` and `directions` are free of it.
    """

    words: tuple[str, ...]
    vectors: Floats
    general: Bools
    scale: float
    bias: float | None = None
    middle: Floats = field(init=False)  # (d,)
    centred: Floats = field(init=False)  # (v, d)
    directions: Floats = field(init=False)  # (v, d), `centred` as unit rows

    def __post_init__(self) -> None:
        middle = self.vectors.mean(axis=0)
        centred = np.ascontiguousarray(self.vectors - middle)
        object.__setattr__(self, "middle", middle)
        object.__setattr__(self, "centred", centred)
        object.__setattr__(self, "directions", unit(centred))


def unit(rows: Floats) -> Floats:
    """The rows at unit length; a row of zeros stays as it is."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    made: Floats = rows / np.maximum(lengths, np.float32(1e-12))
    return made
