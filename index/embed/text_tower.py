"""The text tower of a CLIP, SigLIP or TIPS, from its tensors, in numpy: no torch, no transformers.

So a question on the command line is answered in less time than importing torch takes, and so is the
first one after the bot's start. Later the bot uses the arithmetic of `packed`.

The rows of all texts are stacked without padding, so the weights are read once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from index.embed import tips
from index.embed.checkpoint import Checkpoint
from index.embed.geometry import (
    LIKE_CLIP,
    Activation,
    Geometry,
    Pair,
    UnknownArchitecture,
    configured,
    geometry,
)
from index.embed.in_numpy import InNumpy
from index.embed.weights import Weights
from index.types.records import Floats

Rows: TypeAlias = Any  # (n, width), in whatever the arithmetic computes with
Step: TypeAlias = Callable[[Rows], Rows]
Pooled: TypeAlias = Callable[[Sequence[int]], int]

# Old configurations of CLIP have this wrong number for the end token. There it is the token with
# the highest number. In MetaCLIP 2 the end token really has it.
LEGACY_END = 2


class Arithmetic(Protocol):
    """How rows are computed: `InNumpy`, or one of `packed`, which is faster once it is made."""

    def rows(self, array: Floats) -> Rows: ...

    def array(self, rows: Rows) -> Floats: ...

    def linear(self, pairs: Sequence[Pair]) -> Step:
        """One product for all pairs, which take the same input; their outputs are side by side."""

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Step:
        """The product `down` of the activation of the product `up`."""

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        """The layer norm."""

    def attended(self, qkv: Rows, spans: Sequence[slice], heads: int, *, causal: bool) -> Rows:
        """Attention of each row to the rows of its own text, (n, 3 · width) → (n, width)."""


class TextTower:
    """Computes features of token ids; made by `text_tower`."""

    def __init__(
        self,
        shape: Geometry,
        weights: Weights,
        arithmetic: Arithmetic,
        *,
        head: Pair | None,
        causal: bool,
        pooled: Pooled,
        scale: float = 1.0,
    ) -> None:
        """
        head     the projection of the pooled row; None: the features are the mean of all rows
        pooled   the position of the pooled row among token ids
        scale    of the token embeddings
        """
        self._arithmetic = arithmetic
        self._causal = causal
        self._pooled = pooled
        self._scale = np.float32(scale)
        self._tokens = weights[f"{shape.prefix}embeddings.token_embedding.weight"]
        self._positions = weights[f"{shape.prefix}embeddings.position_embedding.weight"]
        self._layers = [_Layer(shape, n, weights, arithmetic) for n in range(shape.layers)]
        self._norm = _norm(shape, weights, arithmetic, f"{shape.prefix}final_layer_norm")
        self._head = None if head is None else arithmetic.linear([head])
        self.dimension = self._tokens.shape[1] if head is None else head[0].shape[0]
        self.context = self._positions.shape[0]

    def __call__(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Features, (len(texts), d), of the texts' token ids, at most `context` for each."""
        ends = np.cumsum([len(ids) for ids in texts])
        spans = [slice(end - len(ids), end) for ids, end in zip(texts, ends, strict=True)]
        embedded = self._tokens[np.concatenate([np.asarray(ids) for ids in texts])] * self._scale
        x = self._arithmetic.rows(
            embedded + np.concatenate([self._positions[: len(ids)] for ids in texts])
        )
        for layer in self._layers:
            x = layer(x, spans, causal=self._causal)
        if self._head is None:
            rows = self._arithmetic.array(self._norm(x))
            return np.stack([rows[span].mean(axis=0) for span in spans])
        pooled = [span.start + self._pooled(ids) for span, ids in zip(spans, texts, strict=True)]
        return self._arithmetic.array(self._head(self._norm(x[pooled])))


def _last(ids: Sequence[int]) -> int:
    return len(ids) - 1


def _greatest(ids: Sequence[int]) -> int:
    return int(np.argmax(ids))


def _first_of(end: int) -> Pooled:
    return lambda ids: list(ids).index(end) if end in ids else 0


class _Layer:
    def __init__(
        self, shape: Geometry, number: int, weights: Weights, arithmetic: Arithmetic
    ) -> None:
        name = shape.layer(number)

        def pair(part: str) -> Pair:
            return weights[f"{name}{part}.weight"], weights[f"{name}{part}.bias"]

        self._arithmetic = arithmetic
        self._heads = shape.heads
        self._before = _norm(shape, weights, arithmetic, f"{name}layer_norm1")
        self._qkv = arithmetic.linear([pair(f"self_attn.{which}_proj") for which in "qkv"])
        self._out = arithmetic.linear([pair("self_attn.out_proj")])
        self._between = _norm(shape, weights, arithmetic, f"{name}layer_norm2")
        self._mlp = arithmetic.mlp(pair("mlp.fc1"), pair("mlp.fc2"), shape.activation)

    def __call__(self, x: Rows, spans: Sequence[slice], *, causal: bool) -> Rows:
        qkv = self._qkv(self._before(x))
        x = x + self._out(self._arithmetic.attended(qkv, spans, self._heads, causal=causal))
        return x + self._mlp(self._between(x))


def _norm(shape: Geometry, weights: Weights, arithmetic: Arithmetic, name: str) -> Step:
    return arithmetic.norm(weights[f"{name}.weight"], weights[f"{name}.bias"], shape.epsilon)


def text_tower(
    checkpoint: Checkpoint, weights: Weights, arithmetic: Arithmetic | None = None
) -> TextTower:
    """The text tower of a checkpoint.

    arithmetic   None: in numpy
    raises       UnknownArchitecture when it is none of the families that are known here
    """
    settings = configured(checkpoint, "text")
    prefix = "text_model."
    others = {
        f"{prefix}embeddings.token_embedding.weight",
        f"{prefix}embeddings.position_embedding.weight",
        f"{prefix}final_layer_norm.weight",
        f"{prefix}final_layer_norm.bias",
    }
    scale = 1.0
    head: Pair | None
    if checkpoint.family in LIKE_CLIP:
        others |= {"text_projection.weight"}
        shape = geometry(
            settings, weights, prefix, others, heads=8, activation="quick_gelu", epsilon=1e-5
        )
        end = settings.get("eos_token_id", 49407)
        legacy = checkpoint.family == "clip" and end == LEGACY_END
        pooled = _greatest if legacy else _first_of(end)
        head = (weights["text_projection.weight"], None)
    elif checkpoint.family in ("siglip", "siglip2"):
        others |= {f"{prefix}head.weight", f"{prefix}head.bias"}
        shape = geometry(
            settings,
            weights,
            prefix,
            others,
            heads=12,
            activation="gelu_pytorch_tanh",
            epsilon=1e-6,
        )
        pooled = _last
        head = weights[f"{prefix}head.weight"], weights[f"{prefix}head.bias"]
    elif checkpoint.family == tips.FAMILY:
        shape = geometry(
            settings, weights, prefix, others, heads=12, activation="relu", epsilon=1e-5
        )
        pooled, head, scale = _last, None, tips.scale_of_tokens(settings, weights)
    else:
        raise UnknownArchitecture(f"the family {checkpoint.family!r}")
    return TextTower(
        shape,
        weights,
        arithmetic or InNumpy(),
        head=head,
        causal=checkpoint.family in LIKE_CLIP,
        pooled=pooled,
        scale=scale,
    )
