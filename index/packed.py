"""A tower's matrix products by oneDNN, on weights packed once: the same answers, sooner.

Transformers' layers multiply through torch's default library, which on few rows reaches half of
what a core can do and packs the weights anew in every call. Here each `Linear` is replaced by one
whose weights lie as oneDNN wants them:

    float32   exact; for the text tower, whose few rows leave the time to reading weights
    bfloat16  where the processor multiplies it; rounded to 8 bits of mantissa, summed in float32
    int8      weights by the row, inputs by the call, both symmetric; summed in int32, and
              everything between the products in bfloat16

Measured beside the default in `bench embed`; whether the answers hold is for `embedder` to check
at load. The operators are those that torch's own compiler emits.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import torch

Precision: TypeAlias = Literal["float32", "bfloat16", "int8"]

# Rows that oneDNN lays the weights out for (a batch of pictures has more, a question fewer);
# any number runs.
ROWS = 32
INT8_STEPS = 127  # of each sign
INT8_ZERO = 128  # unsigned inputs: their zero


def supported(precision: Precision) -> bool:
    """Whether this processor multiplies so, faster than float32, and this torch knows how."""
    import torch

    backends: Any = torch.backends  # without annotations
    if not backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    flags = _processor_flags()
    if precision == "bfloat16":
        return bool(flags & {"avx512_bf16", "amx_bf16"})
    if precision == "int8":
        return bool(flags & {"avx512_vnni", "avx_vnni", "amx_int8"})
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


def pack(model: Any, parts: Sequence[str], precision: Precision) -> None:
    """Replace the linear layers of the named parts of `model`, in place.

    Their own weights are let go. Parts that the model lacks are passed over.
    """
    import torch

    for name in parts:
        part = getattr(model, name, None)
        if part is None:
            continue
        if precision != "float32":
            part.to(torch.bfloat16)
        if type(part) is torch.nn.Linear:
            setattr(model, name, _floating(part))
        else:
            _pack_inside(part, precision)


def _pack_inside(part: Any, precision: Precision) -> None:
    import torch

    for module in list(part.modules()):
        if isinstance(module, torch.nn.MultiheadAttention):
            continue  # it reaches into its layer's weights
        for name, child in list(module.named_children()):
            # SigLIP 2 asks the patch embedding's weights for their type.
            if type(child) is torch.nn.Linear and name != "patch_embedding":
                setattr(module, name, _packed(child, precision))


def _packed(layer: torch.nn.Linear, precision: Precision) -> torch.nn.Module:
    return _int8(layer) if precision == "int8" else _floating(layer)


def _floating(layer: torch.nn.Linear) -> torch.nn.Module:
    import torch

    ops: Any = torch.ops.mkldnn
    weight = ops._reorder_linear_weight(layer.weight.detach(), ROWS)
    bias = None if layer.bias is None else layer.bias.detach()

    class Packed(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:  # (…, in) -> (…, out)
            product: torch.Tensor = ops._linear_pointwise(x, weight, bias, "none", [], "")
            return product

    return Packed()


def _int8(layer: torch.nn.Linear) -> torch.nn.Module:
    import torch

    ops: Any = torch.ops.onednn
    weight = layer.weight.detach().float()
    step = weight.abs().amax(dim=1).clamp_min(1e-12) / INT8_STEPS  # (out,)
    whole = (weight / step[:, None]).round().to(torch.int8)
    packed = ops.qlinear_prepack(whole, [ROWS, layer.in_features])
    zeros = torch.zeros(layer.out_features, dtype=torch.int32)
    bias = None if layer.bias is None else layer.bias.detach().float()

    class PackedInt8(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:  # (…, in) -> (…, out)
            rows = x.reshape(-1, layer.in_features)
            size = max(float(rows.abs().max()) / INT8_STEPS, 1e-12)
            whole = rows.mul(1 / size).add_(INT8_ZERO).round_().clamp_(0, 255).to(torch.uint8)
            product: torch.Tensor = ops.qlinear_pointwise(
                whole, size, INT8_ZERO, packed, step, zeros, bias,
                1.0, 0, torch.bfloat16, "none", [], "",
            )  # fmt: skip
            return product.reshape(*x.shape[:-1], layer.out_features)

    return PackedInt8()
