"""How probable it is that a picture shows what words say, and what else a model sees in it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from index.answering.background import Background, unit
from index.types.records import Floats

Bools = npt.NDArray[np.bool_]
# From this cosine on, of vectors without what all texts have in common, two words mean the same: a
# word is no alternative to its synonym. The pocket model's names of related animals reach .6.
SYNONYM = 0.85
# From this cosine on, the name of a whole kind is related to a thing: "animal" is no alternative to
# "dog".
RELATED = 0.35
# How many words tell what a model sees in a picture, and from which probability on one does.
CONCEPTS = 3
LEAST_SEEN = 0.1


def fit(wanted: Floats, vectors: Floats, background: Background) -> Floats:
    """How probable it is that each picture shows what the words say, rather than something else.

    The words compete with the background: a softmax at the model's own temperature. A picture may
    show several things, such as a subject and a place, of which one stands before the other. So the
    words compete once more, after the picture's best word has been taken out of its vector; the
    greater probability counts.

    wanted   (d,) unit, of words    vectors  (c, d) unit rows, of pictures
    returns  (c,) from 0 to 1
    source   negative labels (NegLabel, Jiang and others, 2024), with one step of matching pursuit
             in between
    """
    asked = wanted - background.middle
    rivals = _rivals(asked, background)
    if not rivals.any():
        return np.ones(len(vectors), np.float32)
    centred, directions = background.centred[rivals], background.directions[rivals]
    theirs, own = vectors @ centred.T, vectors @ asked
    # A model that judges each pair by itself also knows "none of these". Its bias was learned where
    # one text in many thousands fits; here it is one among the background's words.
    none = np.full(len(vectors), -np.inf, np.float32)
    if background.bias is not None:
        none = -(background.scale * (vectors @ background.middle) + background.bias)
        none -= math.log(len(background.words))
    first = _probability(own, theirs, none, background.scale)
    best = theirs.argmax(axis=1)
    taken = directions[best]  # (c, d)
    amount = np.einsum("cd,cd->c", vectors, taken)[:, None]
    theirs = theirs - amount * (taken @ centred.T)
    own = own - amount[:, 0] * (taken @ asked)
    return np.maximum(first, _probability(own, theirs, none, background.scale))


def _rivals(asked: Floats, background: Background) -> Bools:
    """(v,) the words that are alternatives to what is asked for.

    Left out are synonyms, and words that are related to it but more general or more special.
    """
    similar = background.directions @ unit(asked)
    rivals: Bools = similar < SYNONYM
    general = background.general
    if general.any() and not general.all():
        is_general = similar[general].max() >= similar[~general].max()
        rivals &= (general == is_general) | (similar < RELATED)
    return rivals


def _probability(own: Floats, theirs: Floats, none: Floats, scale: float) -> Floats:
    """(c,) the softmax of `own`, (c,), among `theirs`, (c, v), and `none`, (c,) logits."""
    top = np.maximum(theirs.max(axis=1), own)
    top = np.maximum(scale * top, none)
    mine = np.exp(scale * own - top)
    rest = np.exp(scale * theirs - top[:, None]).sum(axis=1)
    chance: Floats = mine / (mine + rest + np.exp(none - top))
    return chance
