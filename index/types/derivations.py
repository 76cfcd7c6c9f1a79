"""Derivations: what is made from a picture or text beside its embedding, and kept with it.

A derivation has a name and a revision. What was made by one revision is of no use to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.types.records import Kind

# Embeddings by the model that the gallery changes to.
REEMBEDDING = "reembedding"
# What copies of a picture are known by.
FINGERPRINT = "fingerprint"
# The derivations that every gallery has a place for. A name is part of a table's name: a-z and _
# only.
NAMES = (REEMBEDDING, FINGERPRINT)


@dataclass(frozen=True, slots=True)
class BegunDerivation:
    """A derivation that a store keeps results of.

    id       the same until the derivation is dropped or done, also over restarts
    details  small JSON, opaque to the store
    """

    name: str
    revision: str
    id: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PendingItem:
    """An item that a derivation has not been made from; `text` is a text's own."""

    key: bytes
    kind: Kind
    text: str | None
