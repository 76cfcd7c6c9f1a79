"""What must be known of a tower beside its tensors: heads, activation, normalisation.

Both towers of CLIP and SigLIP are computed here from their tensors, without transformers, whose
import alone takes longer than an answer. Whatever isn't exactly of these families' shape is
`Unfamiliar`, and transformers computes it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from index.embed.checkpoint import Checkpoint
from index.embed.weights import Weights

Activation: TypeAlias = Literal["quick_gelu", "gelu", "gelu_pytorch_tanh"]
ACTIVATIONS = ("quick_gelu", "gelu", "gelu_pytorch_tanh")
# Of each layer, with weight and bias.
PARTS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "mlp.fc1",
    "mlp.fc2",
    "layer_norm1",
    "layer_norm2",
)


class Unfamiliar(Exception):
    """This tower is not one that is known here; the text says how it differs."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """One tower: where its layers lie in the checkpoint, and what its tensors don't tell."""

    prefix: str  # of its tensors' names
    layers: int
    heads: int
    activation: Activation
    epsilon: float  # of the layer norms

    def layer(self, number: int) -> str:
        return f"{self.prefix}encoder.layers.{number}."


def configured(found: Checkpoint, side: Literal["text", "vision"]) -> dict[str, Any]:
    """What the configuration says of a side; the older form goes before, as in transformers."""
    for name in (f"{side}_config_dict", f"{side}_config"):
        settings = found.config.get(name)
        if isinstance(settings, dict):
            return settings
    return {}


def geometry(
    settings: dict[str, Any],
    weights: Weights,
    prefix: str,
    others: Collection[str],
    *,
    heads: int,
    activation: Activation,
    epsilon: float,
) -> Geometry:
    """The tower below `prefix`, which has `others` of its own beside the layers.

    The defaults are those of its family's configuration, which says only what differs.

    raises   Unfamiliar
    """
    layers = 1 + max(
        (
            int(name.split(".")[3])
            for name in weights.below(f"{prefix}encoder.layers.")
            if name.split(".")[3].isdecimal()
        ),
        default=-1,
    )
    made = Geometry(
        prefix,
        layers,
        int(settings.get("num_attention_heads", heads)),
        settings.get("hidden_act", activation),
        float(settings.get("layer_norm_eps", epsilon)),
    )
    expected = set(others) | {
        f"{made.layer(n)}{part}.{kind}"
        for n in range(layers)
        for part in PARTS
        for kind in ("weight", "bias")
    }
    present = weights.below(prefix) | (expected & set(weights))
    differ = expected ^ present
    if differ or not layers or layers != settings.get("num_hidden_layers", layers):
        raise Unfamiliar(f"other tensors than expected, such as {min(differ, default='layers')}")
    if made.activation not in ACTIVATIONS:
        raise Unfamiliar(f"an activation {made.activation!r}")
    return made
