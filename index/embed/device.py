"""Which device a model computes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.types.errors import ModelUnusable

if TYPE_CHECKING:
    import torch


def device_named(name: str, model: str) -> torch.device:
    """The device of this name; for "auto" the fastest kind that the machine has.

    From now on each call of torch computes on one core of the CPU: `model_threads` has a thread for
    each.

    model    the model's name, for the error
    raises   ModelUnusable when the machine has no such device
    """
    import torch

    torch.set_num_threads(1)
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, available in present.items() if available))
    available_kinds = ", ".join(kind for kind, available in present.items() if available)
    try:
        device = torch.device(name)
    except RuntimeError:
        reason = f"{name!r} is not a device; this machine has {available_kinds}"
        raise ModelUnusable(model, reason) from None
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if not present.get(device.type, False) or (device.index or 0) >= count:
        raise ModelUnusable(model, f"this machine has no device {name!r}; it has {available_kinds}")
    return device
