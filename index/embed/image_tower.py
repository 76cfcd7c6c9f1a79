"""The image tower of a CLIP, SigLIP or TIPS of fixed size, from its tensors: pixels → features.

The model's normalisation of pixels is built into the weights of the first product, so the input is
bytes. q, k and v are one product. CLIP and TIPS pool one row, so in their last layer everything
after the attention is computed for that row only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
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

Rows: TypeAlias = Any  # in whatever the arithmetic computes with
Step: TypeAlias = Callable[[Rows], Rows]

PREFIX = "vision_model."
PROJECTION = "visual_projection.weight"


class ImageArithmetic(Protocol):
    """How rows are computed: in numpy, or by torch, see `packed`."""

    middle: int  # what is subtracted from pixels; each float format holds such integers exactly

    def computing(self) -> AbstractContextManager[object]:
        """Surrounds each call of the tower."""

    def pixels(self, patches: Any) -> Rows:
        """Bytes, (n, in), as rows, from which `middle` is subtracted."""

    def constant(self, array: Floats) -> Rows:
        """A copy of an array."""

    def behind(self, first: Rows, rows: Rows) -> Rows:
        """The rows of each picture, (n, rows, width), behind the same others, (m, width)."""

    def linear(self, pairs: Sequence[Pair], *, narrow: bool = False) -> Step:
        """One product for all pairs, which take the same input; their outputs are side by side.

        narrow   the output may have fewer bits than float32
        """

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Step:
        """The product `down` of the activation of the product `up`."""

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Step:
        """The layer norm."""

    def by_head(self, joined: Rows, n: int, heads: int, width: int) -> Rows:
        """The outputs of a product for n pictures, such as q, k and v, each of this width:
        (outputs, n, heads, rows, width of a head)."""

    def attention(self, q: Rows, k: Rows, v: Rows) -> Rows:
        """Attention of the rows of q to those of v, (n · rows of q, width); q comes scaled, and may
        be the same for all pictures."""

    def array(self, rows: Rows) -> Floats:
        """Rows as an array."""


class ImageTower:
    """Computes features of square pictures; made by `image_tower`."""

    def __init__(
        self,
        shape: Geometry,
        weights: Weights,
        arithmetic: ImageArithmetic,
        patches: Pair,
        patch: int,
    ) -> None:
        self._patch = patch
        self._arithmetic = arithmetic
        self._patches = arithmetic.linear([patches])
        positions, first = _positions(weights)
        self._positions = arithmetic.constant(positions)
        self._first = None if first is None else arithmetic.constant(first)
        self._norms = _Norms(shape, weights, arithmetic)
        pools_first = self._first is not None
        last = shape.layers - 1
        self._layers = [
            _Layer(shape, n, weights, arithmetic, self._norms, first=pools_first and n == last)
            for n in range(shape.layers)
        ]
        normed = f"{PREFIX}pre_layrnorm.weight" in weights
        self._before = self._norms("pre_layrnorm") if normed else _unchanged
        self._after = self._norms("post_layernorm")
        self._head: Step
        if not pools_first:
            self._head = _Pooling(shape, weights, arithmetic, self._norms)
        elif PROJECTION in weights:
            self._head = arithmetic.linear([(weights[PROJECTION], None)])
        else:
            self._head = _unchanged

    def __call__(self, pixels: Any, between: Callable[[], None] | None = None) -> Floats:
        """Features, (n, d), of RGB bytes, (n, edge, edge, 3).

        between   is called before each attention and each pair of products
        """
        between = between or _do_nothing
        with self._arithmetic.computing():
            x = self._before(self._embedded(pixels))
            if self._first is None:
                features = self._head(self._after(self._through(self._layers, x, between)))
            else:
                x = self._through(self._layers[:-1], x, between)
                features = self._head(self._after(self._layers[-1].first(x, between)))
            return self._arithmetic.array(features)

    @staticmethod
    def _through(layers: Sequence[_Layer], x: Rows, between: Callable[[], None]) -> Rows:
        for layer in layers:
            x = layer(x, between)
        return x

    def _embedded(self, pixels: Any) -> Rows:
        """Patches plus their positions, (n, rows, width), behind the rows before them, if any."""
        n, edge = pixels.shape[:2]
        side = edge // self._patch
        pixels = pixels[:, : side * self._patch, : side * self._patch]
        cut = pixels.reshape(n, side, self._patch, side, self._patch * 3).transpose(0, 1, 3, 2, 4)
        patches = np.ascontiguousarray(cut).reshape(n * side * side, -1)
        rows = self._patches(self._arithmetic.pixels(patches))
        rows = rows.reshape(n, side * side, -1) + self._positions
        return rows if self._first is None else self._arithmetic.behind(self._first, rows)


def _do_nothing() -> None:
    """The default of `between`."""


def _unchanged(x: Rows) -> Rows:
    """A norm or projection that the family doesn't have."""
    return x


class _Norms:
    """Makes the layer norms of a tower, by their names."""

    def __init__(self, shape: Geometry, weights: Weights, arithmetic: ImageArithmetic) -> None:
        self._epsilon = shape.epsilon
        self._weights = weights
        self._arithmetic = arithmetic

    def __call__(self, name: str) -> Step:
        scale, shift = (self._weights[f"{PREFIX}{name}.{kind}"] for kind in ("weight", "bias"))
        return self._arithmetic.norm(scale, shift, self._epsilon)


class _Layer:
    """A transformer layer; with `first` it computes the first row of each picture only."""

    def __init__(
        self,
        shape: Geometry,
        number: int,
        weights: Weights,
        arithmetic: ImageArithmetic,
        norms: _Norms,
        *,
        first: bool,
    ) -> None:
        name = shape.layer(number)
        short = name.removeprefix(PREFIX)

        def pair(part: str) -> Pair:
            return weights[f"{name}{part}.weight"], weights[f"{name}{part}.bias"]

        self._arithmetic = arithmetic
        self._heads = shape.heads
        self._before = norms(f"{short}layer_norm1")
        q = _scaled(pair("self_attn.q_proj"), shape.heads)
        k, v = (pair(f"self_attn.{which}_proj") for which in "kv")
        if first:
            self._q = arithmetic.linear([q], narrow=True)
            self._kv = arithmetic.linear([k, v], narrow=True)
        else:
            self._qkv = arithmetic.linear([q, k, v], narrow=True)
        self._out = arithmetic.linear([pair("self_attn.out_proj")])
        self._between = norms(f"{short}layer_norm2")
        self._mlp = arithmetic.mlp(pair("mlp.fc1"), pair("mlp.fc2"), shape.activation)

    def __call__(self, x: Rows, between: Callable[[], None]) -> Rows:
        """(n, rows, width) → the same."""
        between()
        q, k, v = self._heads_of(self._qkv, self._before(x))
        return self._rest(x, q, k, v, between)

    def first(self, x: Rows, between: Callable[[], None]) -> Rows:
        """(n, rows, width) → (n, width): the first row of each picture alone."""
        between()
        normed = self._before(x)
        (q,) = self._heads_of(self._q, normed[:, :1])
        k, v = self._heads_of(self._kv, normed)
        return self._rest(x[:, :1], q, k, v, between)[:, 0]

    def _heads_of(self, product: Step, x: Rows) -> Any:
        """The outputs of a product, such as q, k and v; each (n, heads, rows, width of a head)."""
        n, rows, width = x.shape
        joined = product(x.reshape(n * rows, width))
        return self._arithmetic.by_head(joined, n, self._heads, width)

    def _rest(
        self,
        x: Rows,
        q: Rows,
        k: Rows,
        v: Rows,
        between: Callable[[], None],
    ) -> Rows:
        flat = x.reshape(-1, x.shape[-1])
        attended = self._out(self._arithmetic.attention(q, k, v))
        attended += flat
        between()
        y = self._mlp(self._between(attended))
        y += attended
        return y.reshape(x.shape)


def _scaled(pair: Pair, heads: int) -> Pair:
    """The layer of q, multiplied by the scale of attention."""
    scale = np.float32((pair[0].shape[0] // heads) ** -0.5)
    return pair[0] * scale, None if pair[1] is None else pair[1] * scale


def _positions(weights: Weights) -> tuple[Floats, Floats | None]:
    """The position embeddings of the patches; and the rows before them, (n, width), or None.

    These are the class row with its position, and the registers of TIPS, which have none.
    """
    table = weights[f"{PREFIX}embeddings.position_embedding.weight"]
    first = f"{PREFIX}embeddings.class_embedding"
    if first not in weights:
        return table, None
    rows = (weights[first] + table[0])[None]
    if tips.REGISTERS in weights:
        rows = np.concatenate([rows, weights[tips.REGISTERS]])
    return table[1:], rows


class _Pooling:
    """SigLIP's head: attention of one learnt query (the probe) to all rows."""

    def __init__(
        self, shape: Geometry, weights: Weights, arithmetic: ImageArithmetic, norms: _Norms
    ) -> None:
        name = f"{PREFIX}head."
        weight, bias = (weights[f"{name}attention.in_proj_{kind}"] for kind in ("weight", "bias"))
        width = weight.shape[1]
        scale = np.float32((width // shape.heads) ** -0.5)
        probe = weights[f"{name}probe"].reshape(1, width)
        q = (probe @ weight[:width].T + bias[:width]) * scale
        self._arithmetic = arithmetic
        self._heads = shape.heads
        self._q = arithmetic.constant(q.reshape(1, shape.heads, 1, -1))
        self._kv = arithmetic.linear([(weight[width:], bias[width:])], narrow=True)

        def pair(part: str) -> Pair:
            return weights[f"{name}{part}.weight"], weights[f"{name}{part}.bias"]

        self._out = arithmetic.linear([pair("attention.out_proj")])
        self._norm = norms("head.layernorm")
        self._mlp = arithmetic.mlp(pair("mlp.fc1"), pair("mlp.fc2"), shape.activation)

    def __call__(self, x: Rows) -> Rows:
        """(n, rows, width) → (n, width)."""
        n, rows, width = x.shape
        k, v = self._arithmetic.by_head(self._kv(x.reshape(n * rows, width)), n, self._heads, width)
        attended = self._out(self._arithmetic.attention(self._q, k, v))
        return attended + self._mlp(self._norm(attended))


def rows_of(weights: Weights) -> int:
    """How many rows a picture has, registers aside: one for each position.

    raises   UnknownArchitecture when there are none
    """
    name = f"{PREFIX}embeddings.position_embedding.weight"
    if name not in weights:
        raise UnknownArchitecture("no positions")
    return len(weights[name])


def image_tower(
    checkpoint: Checkpoint,
    weights: Weights,
    arithmetic: ImageArithmetic,
    mean: Floats,
    deviation: Floats,
) -> ImageTower:
    """The image tower of a checkpoint.

    mean, deviation   (3,), by which preprocessing normalises pixels in [0, 1]

    raises   UnknownArchitecture when it is none of the families that are known here, of fixed size
    """
    settings = configured(checkpoint, "vision")
    others = {
        f"{PREFIX}embeddings.{name}.weight" for name in ("patch_embedding", "position_embedding")
    }
    others |= {f"{PREFIX}post_layernorm.{kind}" for kind in ("weight", "bias")}
    if checkpoint.family in LIKE_CLIP:
        others |= {f"{PREFIX}pre_layrnorm.{kind}" for kind in ("weight", "bias")}
        others |= {f"{PREFIX}embeddings.class_embedding", PROJECTION}
        shape = geometry(
            settings, weights, PREFIX, others, heads=12, activation="quick_gelu", epsilon=1e-5
        )
        bias = None
    elif checkpoint.family == "siglip":
        others |= {f"{PREFIX}embeddings.patch_embedding.bias", f"{PREFIX}head.probe"}
        others |= {f"{PREFIX}head.attention.in_proj_{kind}" for kind in ("weight", "bias")}
        others |= {
            f"{PREFIX}head.{part}.{kind}"
            for part in ("attention.out_proj", "layernorm", "mlp.fc1", "mlp.fc2")
            for kind in ("weight", "bias")
        }
        shape = geometry(
            settings,
            weights,
            PREFIX,
            others,
            heads=12,
            activation="gelu_pytorch_tanh",
            epsilon=1e-6,
        )
        bias = weights[f"{PREFIX}embeddings.patch_embedding.bias"]
    elif checkpoint.family == tips.FAMILY:
        others |= {
            f"{PREFIX}embeddings.{name}" for name in ("patch_embedding.bias", "class_embedding")
        }
        others |= {tips.REGISTERS}
        shape = geometry(
            settings, weights, PREFIX, others, heads=12, activation="gelu", epsilon=1e-6
        )
        bias = weights[f"{PREFIX}embeddings.patch_embedding.bias"]
    else:
        raise UnknownArchitecture(f"the family {checkpoint.family!r}")
    filters = weights[f"{PREFIX}embeddings.patch_embedding.weight"]  # (width, 3, patch, patch)
    if filters.ndim != 4 or filters.shape[1] != 3 or filters.shape[2] != filters.shape[3]:
        raise UnknownArchitecture(f"patches of {filters.shape}")
    patches = _of_bytes(filters, bias, mean, deviation, arithmetic.middle)
    return ImageTower(shape, weights, arithmetic, patches, filters.shape[-1])


def _of_bytes(
    filters: Floats, bias: Floats | None, mean: Floats, deviation: Floats, offset: int
) -> Pair:
    """The first layer for bytes minus `offset`, in place of normalised pixels."""
    weight = (filters / (255 * deviation)[:, None, None]).astype(np.float32)
    middle = (offset - 255 * mean)[:, None, None]
    shift = (weight * middle).sum(axis=(1, 2, 3)) + (0 if bias is None else bias)
    # In the order of pixels in memory: rows, columns, RGB.
    flat = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    return flat, shift.astype(np.float32)
