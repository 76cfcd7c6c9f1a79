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


class InNumpy:
    """Plain products in numpy. The weights stay in the mapped file and are not copied."""

    def rows(self, array: Floats) -> Floats:
        return array

    def array(self, rows: Floats) -> Floats:
        return rows

    def linear(self, pairs: Sequence[Pair]) -> Step:
        def product(x: Floats) -> Floats:
            # In this order BLAS reads the weights in their own layout: a third less time on few
            # rows.
            parts = [(weight @ x.T).T + (0 if bias is None else bias) for weight, bias in pairs]
            y: Floats = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
            return y

        return product

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Step:
        first, second = self.linear([up]), self.linear([down])
        return lambda x: second(activated(first(x), activation))

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        def normed(x: Floats) -> Floats:
            centred = x - x.mean(axis=-1, keepdims=True)
            variance = np.einsum("nd,nd->n", centred, centred)[:, None] / np.float32(x.shape[-1])
            y: Floats = centred / np.sqrt(variance + np.float32(epsilon)) * scale + shift
            return y

        return normed

    def attended(self, qkv: Floats, spans: Sequence[slice], heads: int, *, causal: bool) -> Floats:
        n, width = qkv.shape[0], qkv.shape[1] // 3
        by_head = qkv.reshape(n, 3, heads, width // heads)
        attended = np.empty((n, width), np.float32)
        for span in spans:
            q, k, v = by_head[span].transpose(1, 2, 0, 3)  # (heads, tokens, width of a head)
            scores = q @ k.transpose(0, 2, 1) * np.float32(q.shape[-1] ** -0.5)
            if causal:
                scores[:, ~np.tri(scores.shape[-1], dtype=bool)] = -np.inf
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            shares /= shares.sum(axis=-1, keepdims=True)
            attended[span] = (shares @ v).transpose(1, 0, 2).reshape(-1, width)
        return attended


def activated(x: Floats, activation: Activation) -> Floats:
    """The activation of this name, of each number."""
    y: Floats
    if activation == "quick_gelu":
        y = x / (1 + np.exp(np.float32(-1.702) * x))
    elif activation == "gelu":
        y = x * np.float32(0.5) * (1 + _erf(x * np.float32(0.5**0.5)))
    elif activation == "relu":
        y = np.maximum(x, np.float32(0))
    else:
        inner = np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x * x * x)
        y = x * np.float32(0.5) * (1 + np.tanh(inner))
    return y


def _erf(x: Floats) -> Floats:
    """The error function, which numpy doesn't have, with an error below 2e-7.

    source   Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26
    """
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    signed: Floats = np.sign(x) * (1 - series * np.exp(-x * x))
    return signed
