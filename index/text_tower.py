"""The text tower of a CLIP or SigLIP, from its tensors, in numpy: no torch, no transformers.

A question on the command line is answered before torch would have been imported. The bot, which
has torch anyway, hands in matrix products of `packed`; everything between them is a few rows.

Texts stand below each other without padding, so weights are read once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from index.checkpoint import Checkpoint
from index.geometry import Activation, Geometry, Unfamiliar, configured, geometry
from index.records import Floats
from index.weights import Weights

Pair: TypeAlias = tuple[Floats, Floats | None]  # a layer's weight, (out, in), and bias
Product: TypeAlias = Callable[[Floats], Floats]

LEGACY_END = 2  # what old configurations call the end token, which is the highest there


class Products(Protocol):
    """How products of rows are made; `packed.RowProducts` are the faster ones."""

    def linear(self, pairs: Sequence[Pair]) -> Product:
        """The products of pairs that take the same input, side by side."""

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Product:
        """`down` of the activation of `up`."""


class TextTower:
    """Token ids → features; built by `text_tower`."""

    def __init__(
        self,
        shape: Geometry,
        weights: Weights,
        products: Products,
        *,
        head: Pair,
        causal: bool,
        end: int | None,
    ) -> None:
        self._shape = shape
        self._causal = causal
        self._end = end
        self._tokens = weights[f"{shape.prefix}embeddings.token_embedding.weight"]
        self._positions = weights[f"{shape.prefix}embeddings.position_embedding.weight"]
        self._layers = [_Layer(shape, n, weights, products) for n in range(shape.layers)]
        self._norm = _norm(shape, weights, f"{shape.prefix}final_layer_norm")
        self._head = products.linear([head])
        self.dimension = head[0].shape[0]
        self.context = self._positions.shape[0]

    def __call__(self, texts: Sequence[Sequence[int]]) -> Floats:
        """(len(texts), d) features of the texts' token ids, each at most `context` long."""
        ends = np.cumsum([len(ids) for ids in texts])
        spans = [slice(end - len(ids), end) for ids, end in zip(texts, ends, strict=True)]
        x = self._tokens[np.concatenate([np.asarray(ids) for ids in texts])]
        x = x + np.concatenate([self._positions[: len(ids)] for ids in texts])
        for layer in self._layers:
            x = x + layer.attend(x, spans, causal=self._causal)
            x = x + layer.think(x)
        pooled = [span.start + self._pooled(ids) for span, ids in zip(spans, texts, strict=True)]
        return self._head(self._norm(x[pooled]))

    def _pooled(self, ids: Sequence[int]) -> int:
        """Whose row stands for the text: the end token's in CLIP, the last one's in SigLIP."""
        if self._end is None:
            return len(ids) - 1
        if self._end == LEGACY_END:
            return int(np.argmax(ids))
        return list(ids).index(self._end) if self._end in ids else 0


class _Layer:
    def __init__(self, shape: Geometry, number: int, weights: Weights, products: Products) -> None:
        name = shape.layer(number)

        def pair(part: str) -> Pair:
            return weights[f"{name}{part}.weight"], weights[f"{name}{part}.bias"]

        self._heads = shape.heads
        self._before = _norm(shape, weights, f"{name}layer_norm1")
        self._qkv = products.linear([pair(f"self_attn.{which}_proj") for which in "qkv"])
        self._out = products.linear([pair("self_attn.out_proj")])
        self._between = _norm(shape, weights, f"{name}layer_norm2")
        self._mlp = products.mlp(pair("mlp.fc1"), pair("mlp.fc2"), shape.activation)

    def attend(self, x: Floats, spans: Sequence[slice], *, causal: bool) -> Floats:
        """(n, d): what each row takes from the rows of its own text."""
        n, width = x.shape
        qkv = self._qkv(self._before(x)).reshape(n, 3, self._heads, width // self._heads)
        taken = np.empty((n, width), np.float32)
        for span in spans:
            q, k, v = qkv[span].transpose(1, 2, 0, 3)  # (heads, tokens, d of a head)
            scores = q @ k.transpose(0, 2, 1) * np.float32(q.shape[-1] ** -0.5)
            if causal:
                scores[:, ~np.tri(scores.shape[-1], dtype=bool)] = -np.inf
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            shares /= shares.sum(axis=-1, keepdims=True)
            taken[span] = (shares @ v).transpose(1, 0, 2).reshape(-1, width)
        return self._out(taken)

    def think(self, x: Floats) -> Floats:
        """(n, d): what each row makes of itself."""
        return self._mlp(self._between(x))


def text_tower(found: Checkpoint, weights: Weights, products: Products | None = None) -> TextTower:
    """The text tower of a checkpoint, its products by numpy unless others are given.

    raises   Unfamiliar when it is not one of those known here
    """
    settings = configured(found, "text")
    prefix = "text_model."
    others = {
        f"{prefix}embeddings.token_embedding.weight",
        f"{prefix}embeddings.position_embedding.weight",
        f"{prefix}final_layer_norm.weight",
        f"{prefix}final_layer_norm.bias",
    }
    if found.family == "clip":
        others |= {"text_projection.weight"}
        shape = geometry(
            settings, weights, prefix, others, heads=8, activation="quick_gelu", epsilon=1e-5
        )
        end = settings.get("eos_token_id", 49407)
        head: Pair = (weights["text_projection.weight"], None)
    elif found.family in ("siglip", "siglip2"):
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
        end = None
        head = weights[f"{prefix}head.weight"], weights[f"{prefix}head.bias"]
    else:
        raise Unfamiliar(f"the family {found.family!r}")
    causal = found.family == "clip"
    return TextTower(shape, weights, products or InNumpy(), head=head, causal=causal, end=end)


class InNumpy:
    """Plain products; the weights stay where they are, in the file."""

    def linear(self, pairs: Sequence[Pair]) -> Product:
        def product(x: Floats) -> Floats:
            # This way round BLAS takes the weights as they lie: a third less time on few rows.
            parts = [(weight @ x.T).T + (0 if bias is None else bias) for weight, bias in pairs]
            y: Floats = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
            return y

        return product

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Product:
        first, second = self.linear([up]), self.linear([down])
        return lambda x: second(activated(first(x), activation))


def activated(x: Floats, activation: Activation) -> Floats:
    """Each number through the activation of this name."""
    y: Floats
    if activation == "quick_gelu":
        y = x / (1 + np.exp(np.float32(-1.702) * x))
    elif activation == "gelu":
        y = x * np.float32(0.5) * (1 + _erf(x * np.float32(0.5**0.5)))
    else:
        inner = np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x * x * x)
        y = x * np.float32(0.5) * (1 + np.tanh(inner))
    return y


def _erf(x: Floats) -> Floats:
    """The error function, to 2e-7, which numpy lacks.

    source   Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26
    """
    t = 1 / (1 + np.float32(0.3275911) * np.abs(x))
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    signed: Floats = np.sign(x) * (1 - series * np.exp(-x * x))
    return signed


def _norm(shape: Geometry, weights: Weights, name: str) -> Product:
    """The layer norm of this name."""
    scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    epsilon = np.float32(shape.epsilon)

    def norm(x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.einsum("nd,nd->n", centred, centred)[:, None] / np.float32(x.shape[-1])
        normed: Floats = centred / np.sqrt(variance + epsilon) * scale + shift
        return normed

    return norm
