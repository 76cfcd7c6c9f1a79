"""A model's matrix products by oneDNN, on weights packed once: the same answers, sooner.

Transformers' layers multiply through torch's default library, which on few rows reaches half of
what a core can do and packs the weights anew in every call. Here each `Linear` is replaced by one
whose weights lie as oneDNN wants them:

    float32   exact; for the text tower, whose few rows leave the time to reading weights
    bfloat16  where the processor multiplies it; rounded to 8 bits of mantissa, summed in float32
    int8      weights by the row, inputs by the call, both symmetric; summed in int32

Measured beside the default in `bench embed`; whether the answers hold is for `embedder` to check
at load. The operators are those that torch's own compiler emits.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import torch

Precision: TypeAlias = Literal["float32", "bfloat16", "int8"]

# Rows that oneDNN lays the weights out for; other numbers of rows run too.
ROWS = {"float32": 8, "bfloat16": 200, "int8": 200}
INT8_STEPS = 127  # of each sign
INT8_ZERO = 128  # unsigned inputs: their zero


def supported(precision: Precision) -> bool:
    """Whether this processor multiplies so, faster than float32, and this torch knows how."""
    import torch

    if not torch.backends.mkldnn.is_available() or not hasattr(
        torch.ops.mkldnn, "_linear_pointwise"
    ):
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


def pack(tower: torch.nn.Module, precision: Precision) -> None:
    """Replace the linear layers of `tower`, in place; their own weights are let go."""
    import torch

    if precision != "float32":
        tower.to(torch.bfloat16)
    for module in list(tower.modules()):
        if isinstance(module, torch.nn.MultiheadAttention):
            continue  # reaches into its layers' weights
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Linear:
                setattr(module, name, _packed(child, precision))


def _packed(layer: torch.nn.Linear, precision: Precision) -> torch.nn.Module:
    return _int8(layer) if precision == "int8" else _floating(layer, ROWS[precision])


def _floating(layer: torch.nn.Linear, rows: int) -> torch.nn.Module:
    import torch

    ops: Any = torch.ops.mkldnn
    weight = ops._reorder_linear_weight(layer.weight.detach(), rows)
    bias = None if layer.bias is None else layer.bias.detach()

    class Packed(torch.nn.Module):
        in_features, out_features = layer.in_features, layer.out_features
        # transformers looks here for the type that a tower computes in
        dtype = layer.weight.dtype

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            product: torch.Tensor = ops._linear_pointwise(x, weight, bias, "none", [], "")
            return product

    return Packed()


def _int8(layer: torch.nn.Linear) -> torch.nn.Module:
    import torch

    ops: Any = torch.ops.onednn
    weight = layer.weight.detach().float()
    step = weight.abs().amax(dim=1).clamp_min(1e-12) / INT8_STEPS  # (out,)
    whole = (weight / step[:, None]).round().to(torch.int8)
    packed = ops.qlinear_prepack(whole, [ROWS["int8"], layer.in_features])
    zeros = torch.zeros(layer.out_features, dtype=torch.int32)
    bias = None if layer.bias is None else layer.bias.detach().float()

    class PackedInt8(torch.nn.Module):
        in_features, out_features = layer.in_features, layer.out_features
        dtype = torch.bfloat16

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            rows = x.reshape(-1, layer.in_features)
            size = max(float(rows.abs().max()) / INT8_STEPS, 1e-12)
            whole = rows.mul(1 / size).add_(INT8_ZERO).round_().clamp_(0, 255).to(torch.uint8)
            product: torch.Tensor = ops.qlinear_pointwise(
                whole, size, INT8_ZERO, packed, step, zeros, bias,
                1.0, 0, torch.bfloat16, "none", [], "",
            )  # fmt: skip
            return product.reshape(*x.shape[:-1], layer.out_features)

    return PackedInt8()
