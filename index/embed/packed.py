"""Matrix products on weights that are packed once, by oneDNN or by loops of our own.

Torch multiplies through its default library. On few rows that library reaches half the speed of a
core, and it packs the weights again in every call. Here the weights are packed once, in the layout
of oneDNN. The number formats:

    plain      torch's own products in float32, on any device
    float16    torch's own products on a GPU, which needs no packing
    float32    exact
    bfloat16   where the processor multiplies it: 8 bits of mantissa, summed in float32
    int16      where it doesn't: weights and inputs are quantised for each row, see
               `integer_products`; nearer to float32 than bfloat16 is
    int8       weights are quantised symmetrically for each row, inputs between their least and
               greatest value, by oneDNN for each call, by our own loops for each row; summed in
               int32

Values between the products are float32. `bench embed` measures this beside transformers, and
`calibration` checks the answers when a model is loaded. The operators are those that torch's own
compiler emits.
"""

from __future__ import annotations

import contextlib
import functools
import math
import platform
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from index.embed import processor
from index.embed.device import compute_on_one_core, kind_of
from index.embed.geometry import Activation, Pair, joined
from index.embed.image_tower import ImageArithmetic
from index.embed.in_numpy import MIDDLE, InNumpy
from index.embed.on_integers import OnIntegers
from index.embed.text_tower import Arithmetic
from index.types.records import Floats

if TYPE_CHECKING:
    import torch

    from index.embed.integer_products import Bits

NumberFormat: TypeAlias = Literal["plain", "float16", "float32", "bfloat16", "int16", "int8"]
Product: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
# Quantises an input: its bytes, the size of a step, and the byte of zero.
Quantise: TypeAlias = "Callable[[torch.Tensor], tuple[torch.Tensor, float, int]]"

# The number of rows that oneDNN optimises the weights' layout for. A batch of pictures has more, a
# question fewer; any number works.
ROWS = 32
# Up to this many rows of a picture, attention is computed by plain products. Above it, torch's own
# attention is faster on a CPU, because it doesn't write all scores to memory.
FEW_ROWS = 64
# Steps of a quantised weight on each side of zero.
WEIGHT_STEPS = 127
# Without VNNI, the products of two neighbours are summed in 16 bits, of which the greatest is
# 32,767. Twice 255 · 64 is still below it.
WEIGHT_STEPS_IN_16_BITS = 64
BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})
VNNI = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
# Steps of a quantised input between its least and its greatest value: one fewer than a byte has,
# because zero must be a step itself.
BYTE_STEPS = 254
# quick_gelu(x) = swish(QUICK · x) / QUICK, and oneDNN knows swish.
QUICK = 1.702
# Our names of activations, as oneDNN's.
ACTIVATIONS: dict[Activation, str] = {
    "quick_gelu": "swish",
    "gelu": "gelu",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
# A bound below the least value of an activation, so that it needn't be searched for in each call.
LEAST_VALUE = {"swish": -0.2785, "gelu": -0.1701, "gelu_tanh": -0.1701, "relu": 0.0}


def supported(number_format: NumberFormat, device: str = "cpu") -> bool:
    """Whether products in the format may be faster than in float32 on a device of this kind."""
    if number_format in ("plain", "float16"):
        return number_format == "plain" or device == "cuda"
    if device != "cpu":
        return False
    flags = processor.flags()
    if number_format == "int16":
        return "avx2" in flags
    if not flags & (BFLOAT16 if number_format == "bfloat16" else {"avx2"}):
        return False
    import torch

    backends: Any = torch.backends  # has no annotations
    return backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def own_bits(number_format: NumberFormat) -> Bits | None:
    """Of integers of how many bits our own products in a format are; None: they are oneDNN's, which
    has faster ones of bytes where the processor has units for matrices, or bfloat16."""
    if number_format == "int16":
        return 16
    return 8 if number_format == "int8" and not processor.flags() & BFLOAT16 else None


def machine(device: str) -> tuple[str, ...]:
    """What the choice of a format depends on, beside the model: device, processor, libraries."""
    named = kind_of(device)
    if named == "cuda":
        import torch

        named = torch.cuda.get_device_name(device)
    libraries = metadata.version("torch"), metadata.version("numba")
    return named, platform.machine(), " ".join(sorted(processor.flags())), *libraries


def arithmetic(number_format: NumberFormat) -> Arithmetic:
    """The arithmetic of `text_tower` in a number format, on the CPU."""
    return OnIntegers(16) if number_format == "int16" else InTorch(number_format)


def image_arithmetic(number_format: NumberFormat | None, device: str, rows: int) -> ImageArithmetic:
    """The arithmetic of `image_tower` in a number format; None: float32, in numpy if possible.

    rows   of a picture. With few rows, numpy takes hardly longer than torch, which then needn't be
           imported. With more of them, numpy would use all cores at once.
    """
    if number_format is None and rows <= FEW_ROWS:
        return InNumpy()
    if number_format is not None and (bits := own_bits(number_format)):
        return OnIntegers(bits)
    return Products(number_format or "plain", device)


class Products:
    """Makes products of float32 tensors, (rows, in) → (rows, out), in one number format; and what
    else `image_tower` computes, by torch."""

    def __init__(self, number_format: NumberFormat, device: str) -> None:
        compute_on_one_core()
        self.number_format = number_format
        self.device = device
        if number_format == "int16":
            self._int16_weights = OnIntegers(16)
        # Of bytes of pixels, int8 makes its products as they are.
        self.middle = 0 if number_format == "int8" else int(MIDDLE)

    def linear(self, pairs: Sequence[Pair], *, narrow: bool = False) -> Product:
        """One product for all pairs, which take the same input; their outputs are side by side.

        narrow   the output may be bfloat16 (or float16) when the number format is
        """
        return self._product(joined(pairs), "none", narrow=narrow)

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Product:
        """The product `down` of the activation of the product `up`."""
        if activation == "quick_gelu":
            up = up[0] * np.float32(QUICK), None if up[1] is None else up[1] * np.float32(QUICK)
            down = down[0] / np.float32(QUICK), down[1]
        name = ACTIVATIONS[activation]
        if self.number_format != "int8":
            first, second = self._product(up, name, narrow=True), self._product(down, "none")
        elif name == "swish":
            first = self._product(up, "none")
            second = self._product(down, "none", quantise=_quantised_swish)
        else:
            least = LEAST_VALUE[name]
            first = self._product(up, name)
            second = self._product(down, "none", quantise=lambda x: _quantised(x, least))
        return lambda x: second(first(x))

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Product:
        """The layer norm."""
        import torch

        weight, bias = self.constant(scale), self.constant(shift)
        return lambda x: torch.layer_norm(x, weight.shape, weight, bias, epsilon)

    def computing(self) -> contextlib.AbstractContextManager[object]:
        import torch

        return torch.inference_mode()

    def pixels(self, patches: Any) -> torch.Tensor:
        import torch

        rows = torch.from_numpy(patches)
        if kind_of(self.device) == "cuda":
            rows = rows.pin_memory().to(self.device, non_blocking=True)
        else:
            rows = rows.to(self.device)
        return rows.float() - self.middle if self.middle else rows

    def constant(self, array: Floats) -> torch.Tensor:
        import torch

        return torch.tensor(array, device=self.device)

    def behind(self, first: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.cat([first.expand(len(rows), -1, -1), rows], dim=1)

    def by_head(self, joined: torch.Tensor, n: int, heads: int, width: int) -> torch.Tensor:
        shape = n, len(joined) // n, joined.shape[1] // width, heads, width // heads
        return joined.reshape(shape).permute(2, 0, 3, 1, 4).contiguous()

    def attention(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        import torch

        q = q.to(k.dtype).expand(len(k), -1, -1, -1)
        if k.device.type == "cpu" and k.shape[2] <= FEW_ROWS:
            shares = torch.softmax(q @ k.transpose(-1, -2), dim=-1, dtype=torch.float32)
            attended = shares.to(v.dtype) @ v
        else:
            attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=1.0)
        n, heads, rows, width = attended.shape
        return attended.transpose(1, 2).reshape(n * rows, heads * width)

    def array(self, rows: torch.Tensor) -> Floats:
        array: Floats = rows.cpu().numpy()
        return array

    def _product(
        self, pair: Pair, activation: str, *, narrow: bool = False, quantise: Quantise | None = None
    ) -> Product:
        import torch

        if self.number_format == "int16":
            multiply, function = self._int16_weights.product(pair), _activation(activation)
            return lambda x: function(torch.from_numpy(multiply(x.contiguous().numpy())))
        weight = torch.from_numpy(np.ascontiguousarray(pair[0]))
        bias = None if pair[1] is None else torch.from_numpy(np.ascontiguousarray(pair[1]))
        if self.number_format in ("plain", "float16"):
            kind = torch.float32 if self.number_format == "plain" else torch.float16
            return _plain(weight.to(self.device, kind), bias, activation, narrow=narrow)
        if self.number_format == "int8":
            # Where the processor has bfloat16, oneDNN rounds to it within the product. Elsewhere it
            # uses a loop that is a thousand times slower.
            narrow = narrow and supported("bfloat16")
            result = torch.bfloat16 if narrow else torch.float32
            return _int8(weight, bias, activation, result, quantise or _quantised)
        return _floating(
            weight, bias, activation, getattr(torch, self.number_format), narrow=narrow
        )


class InTorch(Products):
    """The arithmetic of `text_tower` in torch, on the CPU."""

    def __init__(self, number_format: NumberFormat) -> None:
        super().__init__(number_format, "cpu")

    def rows(self, array: Floats) -> torch.Tensor:
        import torch

        return torch.from_numpy(array)

    def attended(
        self, qkv: torch.Tensor, spans: Sequence[slice], heads: int, *, causal: bool
    ) -> torch.Tensor:
        """Attention of each row to the rows of its own text, (n, 3 · width) → (n, width)."""
        import torch

        n, width = qkv.shape[0], qkv.shape[1] // 3
        by_head = qkv.reshape(n, 3, heads, width // heads).permute(1, 2, 0, 3)
        attend = torch.nn.functional.scaled_dot_product_attention
        attended = []
        for span in spans:
            q, k, v = by_head[:, None, :, span]  # (1, heads, tokens, width of a head)
            attended.append(attend(q, k, v, is_causal=causal))
        joined = attended[0] if len(attended) == 1 else torch.cat(attended, dim=2)
        return joined[0].transpose(0, 1).reshape(n, width)


def _plain(
    weight: torch.Tensor, bias: torch.Tensor | None, activation: str, *, narrow: bool
) -> Product:
    from torch.nn import functional

    bias = None if bias is None else bias.to(weight)
    function = _activation(activation)

    def product(x: torch.Tensor) -> torch.Tensor:
        y = function(functional.linear(x.to(weight.dtype), weight, bias))
        return y if narrow else y.float()

    return product


def _activation(name: str) -> Product:
    """Torch's function of an activation that oneDNN names so. It may write over its input."""
    from torch.nn import functional

    functions: dict[str, Any] = {
        "none": lambda y: y,
        "swish": functools.partial(functional.silu, inplace=True),
        "gelu": functional.gelu,
        "gelu_tanh": functools.partial(functional.gelu, approximate="tanh"),
        "relu": functional.relu,
    }
    function: Product = functions[name]
    return function


def _floating(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    activation: str,
    kind: torch.dtype,
    *,
    narrow: bool,
) -> Product:
    import torch

    operators: Any = torch.ops.mkldnn
    packed = operators._reorder_linear_weight(weight.to(kind), ROWS)
    bias = None if bias is None else bias.to(kind)
    name, _, way = activation.partition("_")
    way = way or ("none" if name == "gelu" else "")

    def product(x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = operators._linear_pointwise(x.to(kind), packed, bias, name, [], way)
        return y if narrow else y.float()

    return product


def _int8(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    activation: str,
    result: torch.dtype,
    quantise: Quantise,
) -> Product:
    import torch

    operators: Any = torch.ops.onednn
    steps = WEIGHT_STEPS if processor.flags() & VNNI else WEIGHT_STEPS_IN_16_BITS
    step = weight.abs().amax(dim=1).clamp_min(1e-12) / steps  # (out,)
    quantised = (weight / step[:, None]).round().to(torch.int8)
    packed = operators.qlinear_prepack(quantised, [ROWS, weight.shape[1]])
    zeros = torch.zeros(len(step), dtype=torch.int32)
    name, _, way = activation.partition("_")
    way = way or ("none" if name == "gelu" else "")

    def product(x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.uint8:  # pixels are bytes already
            quantised, size, zero = x, 1.0, 0
        else:
            quantised, size, zero = quantise(x.float().contiguous())
        y: torch.Tensor = operators.qlinear_pointwise(
            quantised, size, zero, packed, step, zeros, bias, 1.0, 0, result, name, [], way
        )
        return y

    return product


def _quantised(x: torch.Tensor, least: float | None = None) -> tuple[torch.Tensor, float, int]:
    """The bytes of x, the size of a step, and the byte of zero: x ≈ size · (bytes - zero).

    least    a lower bound of x, not above zero; None: it is computed
    """
    from index.embed import quantization

    least = min(float(x.amin()), 0.0) if least is None else least
    size, zero = _steps(least, max(float(x.amax()), 0.0))
    return _rounded(quantization.to_bytes, x, size, zero), size, zero


def _quantised_swish(x: torch.Tensor) -> tuple[torch.Tensor, float, int]:
    """`_quantised` of swish(x), in one pass."""
    from index.embed import quantization

    # Above zero, swish grows with x, so its greatest value is at the greatest x.
    most = float(x.amax())
    greatest = most / (1 + math.exp(-most)) if most > 0 else 0.0
    error = quantization.SWISH_ERROR
    size, zero = _steps(LEAST_VALUE["swish"] - error, greatest + error)
    return _rounded(quantization.swish_to_bytes, x, size, zero), size, zero


def _steps(least: float, greatest: float) -> tuple[float, int]:
    """The size of a step, and which step is zero."""
    size = max((greatest - least) / BYTE_STEPS, 1e-12)
    return size, math.ceil(-least / size)


def _rounded(loop: Callable[..., None], x: torch.Tensor, size: float, zero: int) -> torch.Tensor:
    import torch

    quantised = torch.empty(x.shape, dtype=torch.uint8)
    loop(x.numpy(), np.float32(1 / size), np.float32(zero), quantised.numpy())
    return quantised


def pack(model: Any, parts: Sequence[str], number_format: NumberFormat) -> None:
    """Replace the linear layers of the named parts of a transformers model, in place.

    Their original weights are freed. Parts that the model doesn't have are skipped.
    """
    import torch

    products = Products(number_format, "cpu")
    for name in parts:
        part = getattr(model, name, None)
        if type(part) is torch.nn.Linear:
            setattr(model, name, _module(part, products))
        elif part is not None:
            _pack_inside(part, products)


def _pack_inside(part: Any, products: Products) -> None:
    import torch

    for module in list(part.modules()):
        if isinstance(module, torch.nn.MultiheadAttention):
            continue  # it reads the weights of its layer directly
        for name, child in list(module.named_children()):
            # SigLIP 2 reads the type of the patch embedding's weights.
            if type(child) is torch.nn.Linear and name != "patch_embedding":
                setattr(module, name, _module(child, products))


def _module(layer: torch.nn.Linear, products: Products) -> torch.nn.Module:
    import torch

    bias = None if layer.bias is None else layer.bias.detach().numpy()
    product = products.linear([(layer.weight.detach().numpy(), bias)])

    class Packed(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:  # (…, in) -> (…, out)
            return product(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)

    return Packed()
