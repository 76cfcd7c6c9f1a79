"""Matrix products by oneDNN, on weights packed once: the same answers, sooner.

Torch multiplies through its default library, which on few rows reaches half of what a core can do
and packs the weights anew in every call. Here they lie as oneDNN wants them:

    plain     torch's own products in float32, on any device
    float16   torch's own on a GPU, for which all this is not needed
    float32   exact
    bfloat16  where the processor multiplies it; rounded to 8 bits of mantissa, summed in float32
    int8      weights symmetric by the row, inputs by the call from their least to their greatest;
              summed in int32

Between the products stands float32. Measured beside transformers in `bench embed`; whether the
answers hold is for `embedder` to check at load. The operators are those that torch's own compiler
emits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from index.embed.geometry import Activation
from index.types.records import Floats

if TYPE_CHECKING:
    import torch

Numbers: TypeAlias = Literal["plain", "float16", "float32", "bfloat16", "int8"]
Pair: TypeAlias = tuple[Floats, Floats | None]  # a layer's weight, (out, in), and bias
Product: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
# An input as bytes, the size of their step, and which byte is zero.
InBytes: TypeAlias = "Callable[[torch.Tensor], tuple[torch.Tensor, float, int]]"

# Rows that oneDNN lays the weights out for (a batch of pictures has more, a question fewer);
# any number runs.
ROWS = 32
WEIGHT_STEPS = 127  # of each sign
# Without VNNI the products of two neighbours are summed in 16 bits, which stop at 32,767: a byte of
# 255 twice by 64 stays below.
WEIGHT_STEPS_IN_16_BITS = 64
VNNI = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
# Steps of an input between its least and its greatest number: one fewer than a byte has, since
# zero must be a step itself.
BYTE_STEPS = 254
# Up to so many threads of torch's, the loops of `rounding`, which take one, are faster.
FEW_THREADS = 2
# Adding this to a small number leaves its nearest whole number in the lowest bits of the float:
# two passes, where torch's own way to bytes takes four slow ones.
ROUNDING = 2.0**23
# quick_gelu(x) = swish(QUICK · x) / QUICK, and oneDNN knows swish.
QUICK = 1.702
AFTER: dict[Activation, str] = {
    "quick_gelu": "swish",
    "gelu": "gelu",
    "gelu_pytorch_tanh": "gelu_tanh",
}
# Below the least that an activation gives: known beforehand, it needn't be looked for.
LEAST_AFTER = {"swish": -0.2785, "gelu": -0.1701, "gelu_tanh": -0.1701}


def supported(numbers: Numbers, device: str = "cpu") -> bool:
    """Whether a device of this kind multiplies so, faster than float32, and torch knows how."""
    if numbers in ("plain", "float16"):
        return numbers == "plain" or device == "cuda"
    if device != "cpu":
        return False
    import torch

    backends: Any = torch.backends  # without annotations
    if not backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    flags = _processor_flags()
    if numbers == "bfloat16":
        return bool(flags & {"avx512_bf16", "amx_bf16"})
    return "avx2" in flags


@functools.cache
def _processor_flags() -> frozenset[str]:
    """What the processor can do, as Linux names it; nothing elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    line = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())


class Products:
    """Makes products of float32 tensors, (rows, in) → (rows, out), in these numbers."""

    def __init__(self, numbers: Numbers, device: torch.device) -> None:
        self.numbers = numbers
        self.device = device

    def linear(self, pairs: Sequence[Pair], *, narrow: bool = False) -> Product:
        """The products of pairs that take the same input, side by side.

        narrow   may answer in bfloat16 (or float16), where these are the numbers anyway
        """
        return self._product(_joined(pairs), "none", narrow=narrow)

    def mlp(self, up: Pair, down: Pair, activation: Activation) -> Product:
        """`down` of the activation of `up`."""
        if activation == "quick_gelu":
            up = up[0] * np.float32(QUICK), None if up[1] is None else up[1] * np.float32(QUICK)
            down = down[0] / np.float32(QUICK), down[1]
        after = AFTER[activation]
        if self.numbers != "int8":
            first, second = self._product(up, after, narrow=True), self._product(down, "none")
        elif after == "swish" and _few_threads():
            first = self._product(up, "none")
            second = self._product(down, "none", in_bytes=_swish_in_bytes)
        else:
            least = LEAST_AFTER[after]
            first = self._product(up, after)
            second = self._product(down, "none", in_bytes=lambda x: _in_bytes(x, least))
        return lambda x: second(first(x))

    def _product(
        self, pair: Pair, after: str, *, narrow: bool = False, in_bytes: InBytes | None = None
    ) -> Product:
        import torch

        weight = torch.from_numpy(np.ascontiguousarray(pair[0]))
        bias = None if pair[1] is None else torch.from_numpy(np.ascontiguousarray(pair[1]))
        if self.numbers in ("plain", "float16"):
            kind = torch.float32 if self.numbers == "plain" else torch.float16
            return _plain(weight.to(self.device, kind), bias, after, narrow=narrow)
        if self.numbers == "int8":
            # oneDNN rounds to bfloat16 as it goes where the processor has it. Elsewhere it falls
            # back to a loop a thousand times slower.
            narrow = narrow and supported("bfloat16")
            result = torch.bfloat16 if narrow else torch.float32
            return _int8(weight, bias, after, result, in_bytes or _in_bytes)
        return _floating(weight, bias, after, getattr(torch, self.numbers), narrow=narrow)


class InTorch(Products):
    """The arithmetic of `text_tower`, on the CPU."""

    def __init__(self, numbers: Numbers) -> None:
        import torch

        super().__init__(numbers, torch.device("cpu"))

    def rows(self, array: Floats) -> torch.Tensor:
        import torch

        return torch.from_numpy(array)

    def array(self, rows: torch.Tensor) -> Floats:
        array: Floats = rows.numpy()
        return array

    def norm(self, scale: Floats, shift: Floats, epsilon: float) -> Product:
        import torch

        weight, bias = torch.tensor(scale), torch.tensor(shift)
        return lambda x: torch.layer_norm(x, weight.shape, weight, bias, epsilon)

    def attended(
        self, qkv: torch.Tensor, spans: Sequence[slice], heads: int, *, causal: bool
    ) -> torch.Tensor:
        """(n, 3 · width) → (n, width): what each row takes from the rows of its own text."""
        import torch

        n, width = qkv.shape[0], qkv.shape[1] // 3
        apart = qkv.reshape(n, 3, heads, width // heads).permute(1, 2, 0, 3)
        attend = torch.nn.functional.scaled_dot_product_attention
        taken = []
        for span in spans:
            q, k, v = apart[:, None, :, span]  # (1, heads, tokens, width of a head)
            taken.append(attend(q, k, v, is_causal=causal))
        joined = taken[0] if len(taken) == 1 else torch.cat(taken, dim=2)
        return joined[0].transpose(0, 1).reshape(n, width)


def _joined(pairs: Sequence[Pair]) -> Pair:
    """One pair of them all, their outputs side by side."""
    weight = pairs[0][0] if len(pairs) == 1 else np.concatenate([weight for weight, _ in pairs])
    biases = [bias for _, bias in pairs if bias is not None]
    return weight, np.concatenate(biases) if biases else None


def _plain(weight: torch.Tensor, bias: torch.Tensor | None, after: str, *, narrow: bool) -> Product:
    from torch.nn import functional

    bias = None if bias is None else bias.to(weight)
    activation: dict[str, Any] = {
        "none": lambda y: y,
        "swish": functional.silu,
        "gelu": functional.gelu,
        "gelu_tanh": functools.partial(functional.gelu, approximate="tanh"),
    }

    def product(x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = activation[after](functional.linear(x.to(weight.dtype), weight, bias))
        return y if narrow else y.float()

    return product


def _floating(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    after: str,
    kind: torch.dtype,
    *,
    narrow: bool,
) -> Product:
    import torch

    operators: Any = torch.ops.mkldnn
    packed = operators._reorder_linear_weight(weight.to(kind), ROWS)
    bias = None if bias is None else bias.to(kind)
    name, _, way = after.partition("_")
    way = way or ("none" if name == "gelu" else "")

    def product(x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = operators._linear_pointwise(x.to(kind), packed, bias, name, [], way)
        return y if narrow else y.float()

    return product


def _int8(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    after: str,
    result: torch.dtype,
    in_bytes: InBytes,
) -> Product:
    import torch

    operators: Any = torch.ops.onednn
    steps = WEIGHT_STEPS if _processor_flags() & VNNI else WEIGHT_STEPS_IN_16_BITS
    step = weight.abs().amax(dim=1).clamp_min(1e-12) / steps  # (out,)
    whole = (weight / step[:, None]).round().to(torch.int8)
    packed = operators.qlinear_prepack(whole, [ROWS, weight.shape[1]])
    zeros = torch.zeros(len(step), dtype=torch.int32)
    name, _, way = after.partition("_")
    way = way or ("none" if name == "gelu" else "")

    def product(x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.uint8:  # pixels are whole numbers already
            whole, size, zero = x, 1.0, 0
        else:
            whole, size, zero = in_bytes(x.float().contiguous())
        y: torch.Tensor = operators.qlinear_pointwise(
            whole, size, zero, packed, step, zeros, bias, 1.0, 0, result, name, [], way
        )
        return y

    return product


def _in_bytes(x: torch.Tensor, least: float | None = None) -> tuple[torch.Tensor, float, int]:
    """x ≈ size · (bytes - zero), each to the nearest step. (bytes, size, zero).

    least   of x, where that is known and not above zero
    """
    import torch

    least = min(float(x.amin()), 0.0) if least is None else least
    size, zero = _steps(least, max(float(x.amax()), 0.0))
    if _few_threads():
        from index.embed import rounding

        return _rounded(rounding.to_bytes, x, size, zero), size, zero
    offset = torch.scalar_tensor(ROUNDING + zero)
    whole = torch.add(offset, x, alpha=1 / size).view(torch.int32).to(torch.uint8)
    return whole, size, zero


def _swish_in_bytes(x: torch.Tensor) -> tuple[torch.Tensor, float, int]:
    """`_in_bytes` of swish(x), in one pass with it."""
    from index.embed import rounding

    # Swish grows with x, but for what is below zero anyway.
    most = float(x.amax())
    greatest = most / (1 + math.exp(-most)) if most > 0 else 0.0
    error = rounding.SWISH_ERROR
    size, zero = _steps(LEAST_AFTER["swish"] - error, greatest + error)
    return _rounded(rounding.swish_to_bytes, x, size, zero), size, zero


def _steps(least: float, greatest: float) -> tuple[float, int]:
    """The size of a step, and which of them is zero."""
    size = max((greatest - least) / BYTE_STEPS, 1e-12)
    return size, math.ceil(-least / size)


def _rounded(loop: Callable[..., None], x: torch.Tensor, size: float, zero: int) -> torch.Tensor:
    import torch

    whole = torch.empty(x.shape, dtype=torch.uint8)
    loop(x.numpy(), np.float32(1 / size), np.float32(zero), whole.numpy())
    return whole


def _few_threads() -> bool:
    import torch

    return torch.get_num_threads() <= FEW_THREADS


def pack(model: Any, parts: Sequence[str], numbers: Numbers) -> None:
    """Replace the linear layers of the named parts of a model of transformers, in place.

    Their own weights are let go. Parts that the model lacks are passed over.
    """
    import torch

    for name in parts:
        part = getattr(model, name, None)
        if type(part) is torch.nn.Linear:
            setattr(model, name, _module(part, numbers))
        elif part is not None:
            _pack_inside(part, numbers)


def _pack_inside(part: Any, numbers: Numbers) -> None:
    import torch

    for module in list(part.modules()):
        if isinstance(module, torch.nn.MultiheadAttention):
            continue  # it reaches into its layer's weights
        for name, child in list(module.named_children()):
            # SigLIP 2 asks the patch embedding's weights for their type.
            if type(child) is torch.nn.Linear and name != "patch_embedding":
                setattr(module, name, _module(child, numbers))


def _module(layer: torch.nn.Linear, numbers: Numbers) -> torch.nn.Module:
    import torch

    bias = None if layer.bias is None else layer.bias.detach().numpy()
    product = Products(numbers, torch.device("cpu")).linear([(layer.weight.detach().numpy(), bias)])

    class Packed(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:  # (…, in) -> (…, out)
            return product(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)

    return Packed()
