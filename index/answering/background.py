"""What pictures commonly show: the words that a question is judged against.

A cosine between words and a picture means something else for every model and every question. But
one picture's cosines with different words can be compared: the model was trained to tell which of
many texts belongs to a picture. So `fit` asks whether the question suits a picture better than some
two thousand common words do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

FILE = "vocabulary.txt"
# The section of words for whole kinds of things, such as "animal".
KINDS = "kinds"
# From this cosine on, of vectors without what all texts have in common, two words mean the same.
# The pocket model's names of related animals reach 0.6.
SYNONYM = 0.85
# From this cosine on, the word for a whole kind is related to a thing.
RELATED = 0.35
# The most words that tell what a model sees in a picture, and the least probability of each with
# its synonyms.
CONCEPTS = 2
LEAST_SEEN = 0.1
# Pictures in which words are seen at once: their products with the vocabulary take some 10 MB.
SEEN_AT_ONCE = 256
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Common words, (v,); and whether each stands for a whole kind of things, (v,)."""

    words: tuple[str, ...]
    kinds: tuple[bool, ...]


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
        (" ".join(entry.split()), name == KINDS)
        for name, text in sections.items()
        for entry in text.split(",")
        if entry.strip()
    ]
    return Vocabulary(tuple(word for word, _ in entries), tuple(kind for _, kind in entries))


@dataclass(frozen=True, eq=False)
class Background:
    """The vocabulary as one model reads it.

    words    (v,)     kinds  (v,) whether a word stands for a whole kind of things
    vectors  (v, d) float32, unit rows
    whole    (v,) whether the model's tokenizer has each of its words in one piece
    scale    what the model multiplies a cosine with: e to the `logit_scale` of its checkpoint
    bias     what it then adds, where it judges each pair by itself (SigLIP); None for others

    The vectors of all texts have a large part in common, which says nothing about any of them: the
    `middle`. `columns` are free of it. They lie one word a column, which a product with few rows
    reads twice as fast.
    """

    words: tuple[str, ...]
    kinds: Bools
    vectors: InitVar[Floats]
    whole: Bools
    scale: float
    bias: float | None = None
    middle: Floats = field(init=False)  # (d,)
    columns: Floats = field(init=False)  # (d, v)
    lengths: Floats = field(init=False)  # (v,) of `columns`

    def __post_init__(self, vectors: Floats) -> None:
        middle = vectors.mean(axis=0)
        columns = np.ascontiguousarray((vectors - middle).T)
        lengths = np.maximum(np.linalg.norm(columns, axis=0), np.float32(1e-12))
        object.__setattr__(self, "middle", middle)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "lengths", lengths)

    def _related_to(self, words: Ints) -> Floats:
        """(n, v) products of the directions of these words, (n,), with all words.

        They are made each time: if they were kept, an answer's time would tell whether others were
        shown pictures of the same things.
        """
        directions: Floats = self.columns[:, words] / self.lengths[words]
        rows: Floats = directions.T @ self.columns
        return rows

    def alike(self, word: int) -> Floats:
        """(v,) how much a word means the same as each word: cosines of their directions."""
        (related,) = self._related_to(np.array([word]))
        found: Floats = related / self.lengths
        return found

    def fit(self, wanted: Floats, pictures: Floats) -> Floats:
        """How probable it is that each picture shows what each text says, and not something else.

        The text competes with the background: a softmax at the model's own temperature. A picture
        may show several things, such as a subject and a place, and the model sees one of them
        first. So the text competes again with what is left of the picture without its best word,
        and the greater of the two probabilities counts.

        wanted   (p, d) unit rows, of texts    pictures  (c, d) unit rows
        returns  (p, c), from 0 to 1
        source   negative labels (NegLabel, Jiang and others, 2024), and one step of matching
                 pursuit (Mallat and Zhang, 1993)
        """
        asked: Floats = wanted - self.middle
        # One product for both, since reading the vocabulary takes most of the time.
        products = np.concatenate([pictures, asked]) @ self.columns
        seen, related = products[: len(pictures)], products[len(pictures) :]
        lengths = self.lengths * np.linalg.norm(asked, axis=1)[:, None]
        rivals = self.rivals(related / np.maximum(lengths, np.float32(1e-12)))
        rivals_seen = np.where(rivals[:, None], seen, np.float32(-np.inf))  # (p, c, v)
        own: Floats = asked @ pictures.T
        none = self.none(pictures)
        first = self._share(own, rivals_seen, none)
        # Most pictures have a best word in common with others.
        best = rivals_seen.argmax(axis=2)  # (p, c)
        words, which = np.unique(best, return_inverse=True)
        which = which.reshape(best.shape)
        amount = seen[np.arange(len(pictures)), best] / self.lengths[best]
        left = rivals_seen - amount[:, :, None] * self._related_to(words)[which]
        own = own - amount * np.take_along_axis(related, best, axis=1) / self.lengths[best]
        return np.maximum(first, self._share(own, left, none))

    def rivals(self, similar: Floats) -> Bools:
        """(p, v) the words that are alternatives to texts, from how similar they are, (p, v).

        A synonym is none. Nor is a thing to its kind, or a kind to its thing: a picture of a dog
        shows an animal, too.
        """
        rivals: Bools = similar < SYNONYM
        if self.kinds.any() and not self.kinds.all():
            things = similar[:, ~self.kinds].max(axis=1)
            is_kind = similar[:, self.kinds].max(axis=1) >= things
            rivals &= (self.kinds == is_kind[:, None]) | (similar < RELATED)
        return rivals

    def none(self, pictures: Floats) -> Floats:
        """(c,) the logit of "none of these", which a model with a bias knows.

        Its bias was learned where one of many thousand texts belonged to a picture. Here it is one
        of the vocabulary.
        """
        if self.bias is None:
            return np.full(len(pictures), -np.inf, np.float32)
        none: Floats = -(self.scale * (pictures @ self.middle) + self.bias)
        return none - np.float32(math.log(len(self.words)))

    def _share(self, own: Floats, rivals: Floats, none: Floats) -> Floats:
        """(p, c) the softmax of `own` among `rivals`, (p, c, v), and the logits `none`, (c,)."""
        top = np.maximum(self.scale * np.maximum(rivals.max(axis=2), own), none)
        mine = np.exp(self.scale * own - top)
        others = np.exp(self.scale * rivals - top[:, :, None]).sum(axis=2) + np.exp(none - top)
        share: Floats = mine / (mine + others)
        return share

    def concepts(self, pictures: Floats) -> list[tuple[str, ...]]:
        """For each picture the words that the model sees most in it, at most CONCEPTS.

        Each word is the best for what is left of the picture without the words before it. A word
        that the tokenizer cuts into pieces was rare in what the model learned from, so it is never
        said.

        pictures  (c, d) unit rows
        """
        parts = (pictures[at : at + SEEN_AT_ONCE] for at in range(0, len(pictures), SEEN_AT_ONCE))
        return [words for part in parts for words in self._concepts(part)]

    def _concepts(self, pictures: Floats) -> list[tuple[str, ...]]:
        """The same, of at most SEEN_AT_ONCE pictures."""
        found: list[list[str]] = [[] for _ in pictures]
        seen = pictures @ self.columns  # (c, v)
        for _ in range(CONCEPTS):
            best = np.where(self.whole, seen, -np.inf).argmax(axis=1)
            related = self._related_to(best)
            share = np.exp(self.scale * (seen - seen.max(axis=1, keepdims=True)))
            synonyms = related >= SYNONYM * self.lengths
            seen_share = (share * synonyms).sum(axis=1) / share.sum(axis=1)
            for words, word, is_seen in zip(found, best, seen_share >= LEAST_SEEN, strict=True):
                if is_seen and self.words[word] not in words:
                    words.append(self.words[word])
            amount = np.take_along_axis(seen, best[:, None], axis=1) / self.lengths[best][:, None]
            seen = seen - amount * related
        return [tuple(words) for words in found]


def is_whole(words: str, pieces: Callable[[str], int]) -> bool:
    """Whether a tokenizer has each of the words in one piece.

    pieces   how many pieces it cuts a text into
    """
    return pieces(words) <= len(words.split())
