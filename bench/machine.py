"""On what machine a run was made: its processor by name and by kind, its cores, and versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Set
from pathlib import Path

# The kinds of processor that Magpie's loops and products differ on, by the feature that tells one;
# the first that a processor has counts.
KINDS = {"amx": "amx_tile", "avx512_bf16": "avx512_bf16", "avx512": "avx512f", "avx2": "avx2"}
# What a processor of one kind may have or lack, and how fast its products are then.
PRODUCTS = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx_vnni")
PLAIN = "plain"  # none of these


def machine() -> dict[str, str | int]:
    """The processor, the number of cores that this process may use, and versions."""
    described = _processor()
    features = frozenset(described.get("flags", "").split())
    return {
        "cpu": described.get("model name") or platform.processor(),
        "kind": kind(features),
        "products": " ".join(name for name in PRODUCTS if name in features) or PLAIN,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }


def kind(features: Set[str]) -> str:
    """The kind of a processor with these features, as Linux names them.

    Where it has none of those in KINDS, it is the architecture, such as "aarch64".
    """
    named = (name for name, feature in KINDS.items() if feature in features)
    return next(named, platform.machine())


def _processor() -> dict[str, str]:
    """What Linux says of the first core; nothing on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return {}
    fields = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in fields}
