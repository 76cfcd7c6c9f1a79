"""The image tower of a CLIP or SigLIP of fixed size, from its tensors: pixels → features.

The model's normalisation of pixels is part of the first product's weights, so bytes go in as they
are. q, k and v are one product. What only the pooled row needs is computed for that row only: in
CLIP's last layer, all that follows the attention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embed.checkpoint import Checkpoint
from index.embed.geometry import Geometry, Unfamiliar, configured, geometry
from index.embed.packed import Pair, Product, Products
from index.embed.weights import Weights
from index.types.records import Floats

if TYPE_CHECKING:
    import torch

PREFIX = "vision_model."
# So many rows of a picture at most are attended to by plain products; above, torch's own
# attention is faster on a CPU, since it doesn't write all scores to memory.
FEW_ROWS = 64
# Pixels are taken from here: whole numbers that any float holds, with rounding around the middle.
MIDDLE = 128


class ImageTower:
    """Squares of pixels → features; built by `image_tower`."""

    def __init__(
        self, shape: Geometry, weights: Weights, products: Products, patches: Pair, patch: int
    ) -> None:
        self._patch = patch
        self._products = products
        self._patches = products.linear([patches])
        self._positions, self._first = _positions(weights, products.device)
        self._norms = _Norms(shape, weights, products.device)
        clip = self._first is not None
        self._layers = [
            _Layer(shape, n, weights, products, self._norms, first=clip and n == shape.layers - 1)
            for n in range(shape.layers)
        ]
        self._before = self._norms("pre_layrnorm") if clip else None
        self._after = self._norms("post_layernorm")
        self._head = (
            products.linear([(weights["visual_projection.weight"], None)])
            if clip
            else _Pooling(shape, weights, products, self._norms)
        )

    def __call__(self, pixels: Any, between: Callable[[], None] | None = None) -> torch.Tensor:
        """(n, d) features of (n, edge, edge, 3) bytes, RGB; `between` is called before each
        attention and each pair of products."""
        import torch

        between = between or _go_on
        with torch.inference_mode():
            x = self._embedded(torch.from_numpy(np.ascontiguousarray(pixels)))
            if self._before is not None:
                x = self._through(self._layers[:-1], self._before(x), between)
                return self._head(self._after(self._layers[-1].first(x, between)))
            return self._head(self._after(self._through(self._layers, x, between)))

    @staticmethod
    def _through(
        layers: Sequence[_Layer], x: torch.Tensor, between: Callable[[], None]
    ) -> torch.Tensor:
        for layer in layers:
            x = layer(x, between)
        return x

    def _embedded(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, rows, width): patches and their positions, CLIP's class in front."""
        import torch

        n, edge = pixels.shape[:2]
        side, device = edge // self._patch, self._products.device
        pixels = pixels[:, : side * self._patch, : side * self._patch]
        cut = pixels.reshape(n, side, self._patch, side, self._patch * 3).permute(0, 1, 3, 2, 4)
        patches = cut.reshape(n * side * side, -1)
        if device.type == "cuda":
            patches = patches.pin_memory().to(device, non_blocking=True)
        if self._products.numbers != "int8":
            patches = patches.float() - MIDDLE
        rows = self._patches(patches).float().reshape(n, side * side, -1) + self._positions
        if self._first is None:
            return rows
        return torch.cat([self._first.expand(n, 1, -1), rows], dim=1)


def _go_on() -> None:
    """Nothing can't wait."""


class _Norms:
    """Makes the layer norms of a tower, by their names in it."""

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
    """`first`: it is to be called for the first row of each picture only."""

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
        """What a product makes of rows, side by side; each (n, heads, rows, width of a head)."""
        n, rows, width = x.shape
        made = product(x.reshape(n * rows, width))
        sides = made.shape[-1] // width
        apart = made.reshape(n, rows, sides, self._heads, -1).permute(2, 0, 3, 1, 4)
        return apart.contiguous()  # once, where the products would do it for each

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
    """q's layer, with attention's scale in it."""
    scale = np.float32((pair[0].shape[0] // heads) ** -0.5)
    return pair[0] * scale, None if pair[1] is None else pair[1] * scale


def _attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """(n · rows of q, width): what each row of q takes from those of v; q comes scaled."""
    import torch

    if k.device.type == "cpu" and k.dtype != torch.float32 and k.shape[2] <= FEW_ROWS:
        shares = torch.softmax(q @ k.transpose(-1, -2), dim=-1, dtype=torch.float32)
        taken = shares.to(v.dtype) @ v
    else:
        taken = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0)
    n, heads, rows, width = taken.shape
    return taken.transpose(1, 2).reshape(n * rows, heads * width)


def _positions(weights: Weights, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What is added to each patch, and CLIP's row in front of them."""
    import torch

    table = weights[f"{PREFIX}embeddings.position_embedding.weight"]
    first = f"{PREFIX}embeddings.class_embedding"
    if first not in weights:
        return torch.tensor(table, device=device), None
    return (
        torch.tensor(table[1:], device=device),
        torch.tensor(weights[first] + table[0], device=device),
    )


class _Pooling:
    """SigLIP's head: a question that the model learnt, put to all rows."""

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
        taken = self._out(_attended(q, k, v))
        return taken + self._mlp(self._norm(taken))


def image_tower(
    found: Checkpoint, weights: Weights, products: Products, mean: Floats, deviation: Floats
) -> ImageTower:
    """The image tower of a checkpoint.

    mean, deviation   (3,): what preprocessing takes from pixels in [0, 1], and divides them by

    raises   Unfamiliar when it is not one of those known here
    """
    settings = configured(found, "vision")
    others = {
        f"{PREFIX}embeddings.{name}.weight" for name in ("patch_embedding", "position_embedding")
    }
    others |= {f"{PREFIX}post_layernorm.{kind}" for kind in ("weight", "bias")}
    if found.family == "clip":
        others |= {f"{PREFIX}pre_layrnorm.{kind}" for kind in ("weight", "bias")}
        others |= {f"{PREFIX}embeddings.class_embedding", "visual_projection.weight"}
        shape = geometry(
            settings, weights, PREFIX, others, heads=12, activation="quick_gelu", epsilon=1e-5
        )
        bias = None
    elif found.family == "siglip":
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
    else:
        raise Unfamiliar(f"the family {found.family!r}")
    filters = weights[f"{PREFIX}embeddings.patch_embedding.weight"]  # (width, 3, patch, patch)
    if filters.ndim != 4 or filters.shape[1] != 3 or filters.shape[2] != filters.shape[3]:
        raise Unfamiliar(f"patches of {filters.shape}")
    offset = 0 if products.numbers == "int8" else MIDDLE
    patches = _of_bytes(filters, bias, mean, deviation, offset)
    return ImageTower(shape, weights, products, patches, filters.shape[-1])


def _of_bytes(
    filters: Floats, bias: Floats | None, mean: Floats, deviation: Floats, offset: int
) -> Pair:
    """The first layer, of normalised pixels, as one of bytes from which `offset` was taken."""
    weight = (filters / (255 * deviation)[:, None, None]).astype(np.float32)
    middle = (offset - 255 * mean)[:, None, None]
    shift = (weight * middle).sum(axis=(1, 2, 3)) + (0 if bias is None else bias)
    flat = weight.transpose(0, 2, 3, 1).reshape(
        len(weight), -1
    )  # as pixels lie: rows, columns, RGB
    return flat, shift.astype(np.float32)
