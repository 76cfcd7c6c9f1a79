"""Which device a model computes on."""

from __future__ import annotations

from importlib import metadata

from index.types.errors import ModelUnusable

CPU_BUILD = "+cpu"  # how the version of a torch ends that knows no other device


def device_named(name: str, model: str) -> str:
    """The device of this name, as torch names it; for "auto" the fastest kind that the machine has.

    Torch isn't imported where it knows no device but the CPU, or no other one is asked for.

    model    the model's name, for the error
    raises   ModelUnusable when the machine has no such device
    """
    if name == "cpu" or (name == "auto" and metadata.version("torch").endswith(CPU_BUILD)):
        return "cpu"
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(kind for kind, available in present.items() if available)
    available_kinds = ", ".join(kind for kind, available in present.items() if available)
    try:
        device = torch.device(name)
    except RuntimeError:
        reason = f"{name!r} is not a device; this machine has {available_kinds}"
        raise ModelUnusable(model, reason) from None
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if not present.get(device.type, False) or (device.index or 0) >= count:
        raise ModelUnusable(model, f"this machine has no device {name!r}; it has {available_kinds}")
    return str(device)


def kind_of(device: str) -> str:
    """The kind of a device: "cpu", "cuda", "mps"."""
    return device.partition(":")[0]


def compute_on_one_core() -> None:
    """Let each call of torch compute on one core: `model_threads` has a thread for each core."""
    import torch

    torch.set_num_threads(1)
