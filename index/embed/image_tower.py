"""The image tower of a CLIP, SigLIP or TIPS of fixed size, from its tensors: pixels → features.

The model's normalisation of pixels is built into the weights of the first product, so the input is
bytes. q, k and v are one product. CLIP and TIPS pool one row, so in their last layer everything
after the attention is computed for that row only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embed import tips
from index.embed.checkpoint import Checkpoint
from index.embed.geometry import (
    LIKE_CLIP,
    Geometry,
    Pair,
    UnknownArchitecture,
    configured,
    geometry,
)
from index.embed.packed import Product, Products
from index.embed.weights import Weights
from index.types.records import Floats

if TYPE_CHECKING:
    import torch

PREFIX = "vision_model."
PROJECTION = "visual_projection.weight"
# Up to this many rows of a picture, attention is computed by plain products. Above it, torch's own
# attention is faster on a CPU, because it doesn't write all scores to memory.
FEW_ROWS = 64
# Subtracted from pixels, so that they are around zero. Every float format holds these integers
# exactly.
MIDDLE = 128


class ImageTower:
    """Computes features of square pictures; made by `image_tower`."""

    def __init__(
        self, shape: Geometry, weights: Weights, products: Products, patches: Pair, patch: int
    ) -> None:
        self._patch = patch
        self._products = products
        self._patches = products.linear([patches])
        self._positions, self._first = _positions(weights, products.device)
        self._norms = _Norms(shape, weights, products.device)
        pools_first = self._first is not None
        last = shape.layers - 1
        self._layers = [
            _Layer(shape, n, weights, products, self._norms, first=pools_first and n == last)
            for n in range(shape.layers)
        ]
        normed = f"{PREFIX}pre_layrnorm.weight" in weights
        self._before = self._norms("pre_layrnorm") if normed else _unchanged
        self._after = self._norms("post_layernorm")
        self._head: Callable[[torch.Tensor], torch.Tensor]
        if not pools_first:
            self._head = _Pooling(shape, weights, products, self._norms)
        elif PROJECTION in weights:
            self._head = products.linear([(weights[PROJECTION], None)])
        else:
            self._head = _unchanged

    def __call__(self, pixels: Any, between: Callable[[], None] | None = None) -> torch.Tensor:
        """Features, (n, d), of RGB bytes, (n, edge, edge, 3).

        between   is called before each attention and each pair of products
        """
        import torch

        between = between or _do_nothing
        with torch.inference_mode():
            x = self._before(self._embedded(torch.from_numpy(np.ascontiguousarray(pixels))))
            if self._first is None:
                return self._head(self._after(self._through(self._layers, x, between)))
            x = self._through(self._layers[:-1], x, between)
            return self._head(self._after(self._layers[-1].first(x, between)))

    @staticmethod
    def _through(
        layers: Sequence[_Layer], x: torch.Tensor, between: Callable[[], None]
    ) -> torch.Tensor:
        for layer in layers:
            x = layer(x, between)
        return x

    def _embedded(self, pixels: torch.Tensor) -> torch.Tensor:
        """Patches plus their positions, (n, rows, width), behind the rows before them, if any."""
        import torch

        n, edge = pixels.shape[:2]
        side, device = edge // self._patch, self._products.device
        pixels = pixels[:, : side * self._patch, : side * self._patch]
        cut = pixels.reshape(n, side, self._patch, side, self._patch * 3).permute(0, 1, 3, 2, 4)
        patches = cut.reshape(n * side * side, -1)
        if device.type == "cuda":
            patches = patches.pin_memory().to(device, non_blocking=True)
        if self._products.number_format != "int8":
            patches = patches.float() - MIDDLE
        rows = self._patches(patches).float().reshape(n, side * side, -1) + self._positions
        if self._first is None:
            return rows
        return torch.cat([self._first.expand(n, -1, -1), rows], dim=1)


def _do_nothing() -> None:
    """The default of `between`."""


def _unchanged(x: torch.Tensor) -> torch.Tensor:
    """A norm or projection that the family doesn't have."""
    return x


class _Norms:
    """Makes the layer norms of a tower, by their names."""

    def __init__(self, shape: Geometry, weights: Weights, device: torch.device) -> None:
        self._epsilon = shape.epsilon
        self._weights = weights
        self._device = device

    def __call__(self, name: str) -> Callable[[torch.Tensor], torch.Tensor]:
        import torch

        scale, shift = (
            torch.tensor(self._weights[f"{PREFIX}{name}.{kind}"], device=self._device)
            for kind in ("weight", "bias")
        )
        return lambda x: torch.layer_norm(x, scale.shape, scale, shift, self._epsilon)


class _Layer:
    """A transformer layer; with `first` it computes the first row of each picture only."""

    def __init__(
        self,
        shape: Geometry,
        number: int,
        weights: Weights,
        products: Products,
        norms: _Norms,
        *,
        first: bool,
    ) -> None:
        name = shape.layer(number)
        short = name.removeprefix(PREFIX)

        def pair(part: str) -> Pair:
            return weights[f"{name}{part}.weight"], weights[f"{name}{part}.bias"]

        self._heads = shape.heads
        self._before = norms(f"{short}layer_norm1")
        q = _scaled(pair("self_attn.q_proj"), shape.heads)
        k, v = (pair(f"self_attn.{which}_proj") for which in "kv")
        if first:
            self._q = products.linear([q], narrow=True)
            self._kv = products.linear([k, v], narrow=True)
        else:
            self._qkv = products.linear([q, k, v], narrow=True)
        self._out = products.linear([pair("self_attn.out_proj")])
        self._between = norms(f"{short}layer_norm2")
        self._mlp = products.mlp(pair("mlp.fc1"), pair("mlp.fc2"), shape.activation)

    def __call__(self, x: torch.Tensor, between: Callable[[], None]) -> torch.Tensor:
        """(n, rows, width) → the same."""
        between()
        q, k, v = self._heads_of(self._qkv, self._before(x))
        return self._rest(x, q, k, v, between)

    def first(self, x: torch.Tensor, between: Callable[[], None]) -> torch.Tensor:
        """(n, rows, width) → (n, width): the first row of each picture alone."""
        between()
        normed = self._before(x)
        (q,) = self._heads_of(self._q, normed[:, :1])
        k, v = self._heads_of(self._kv, normed)
        return self._rest(x[:, :1], q, k, v, between)[:, 0]

    def _heads_of(self, product: Product, x: torch.Tensor) -> Any:
        """The outputs of a product, such as q, k and v; each (n, heads, rows, width of a head)."""
        n, rows, width = x.shape
        joined = product(x.reshape(n * rows, width))
        outputs = joined.shape[-1] // width
        by_head = joined.reshape(n, rows, outputs, self._heads, -1).permute(2, 0, 3, 1, 4)
        return by_head.contiguous()  # once here, instead of in each of the products that follow

    def _rest(
        self,
        x: torch.Tensor,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        between: Callable[[], None],
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        flat = flat + self._out(_attended(q, k, v))
        between()
        flat = flat + self._mlp(self._between(flat))
        return flat.reshape(x.shape)


def _scaled(pair: Pair, heads: int) -> Pair:
    """The layer of q, multiplied by the scale of attention."""
    scale = np.float32((pair[0].shape[0] // heads) ** -0.5)
    return pair[0] * scale, None if pair[1] is None else pair[1] * scale


def _attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attention of the rows of q to those of v, (n · rows of q, width); q comes scaled."""
    import torch

    if k.device.type == "cpu" and k.shape[2] <= FEW_ROWS:
        shares = torch.softmax(q @ k.transpose(-1, -2), dim=-1, dtype=torch.float32)
        attended = shares.to(v.dtype) @ v
    else:
        attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0)
    n, heads, rows, width = attended.shape
    return attended.transpose(1, 2).reshape(n * rows, heads * width)


def _positions(weights: Weights, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The position embeddings of the patches; and the rows before them, (n, width), or None.

    These are the class row with its position, and the registers of TIPS, which have none.
    """
    import torch

    table = weights[f"{PREFIX}embeddings.position_embedding.weight"]
    first = f"{PREFIX}embeddings.class_embedding"
    if first not in weights:
        return torch.tensor(table, device=device), None
    rows = (weights[first] + table[0])[None]
    if tips.REGISTERS in weights:
        rows = np.concatenate([rows, weights[tips.REGISTERS]])
    return torch.tensor(table[1:], device=device), torch.tensor(rows, device=device)


class _Pooling:
    """SigLIP's head: attention of one learnt query (the probe) to all rows."""

    def __init__(
        self, shape: Geometry, weights: Weights, products: Products, norms: _Norms
    ) -> None:
        import torch

        name = f"{PREFIX}head."
        weight, bias = (weights[f"{name}attention.in_proj_{kind}"] for kind in ("weight", "bias"))
        width = weight.shape[1]
        scale = np.float32((width // shape.heads) ** -0.5)
        probe = weights[f"{name}probe"].reshape(1, width)
        q = (probe @ weight[:width].T + bias[:width]) * scale
        self._q = torch.tensor(q, device=products.device)
        self._heads = shape.heads
        self._kv = products.linear([(weight[width:], bias[width:])], narrow=True)

        def pair(part: str) -> Pair:
            return weights[f"{name}{part}.weight"], weights[f"{name}{part}.bias"]

        self._out = products.linear([pair("attention.out_proj")])
        self._norm = norms("head.layernorm")
        self._mlp = products.mlp(pair("mlp.fc1"), pair("mlp.fc2"), shape.activation)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(n, rows, width) → (n, width)."""
        n, rows, width = x.shape
        kv = self._kv(x.reshape(n * rows, width)).reshape(n, rows, 2, self._heads, -1)
        k, v = kv.permute(2, 0, 3, 1, 4)
        q = self._q.to(k.dtype).reshape(1, self._heads, 1, -1).expand(n, -1, -1, -1)
        attended = self._out(_attended(q, k, v))
        return attended + self._mlp(self._norm(attended))


def image_tower(
    checkpoint: Checkpoint, weights: Weights, products: Products, mean: Floats, deviation: Floats
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
    offset = 0 if products.number_format == "int8" else MIDDLE
    patches = _of_bytes(filters, bias, mean, deviation, offset)
    return ImageTower(shape, weights, products, patches, filters.shape[-1])


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
