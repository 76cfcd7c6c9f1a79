"""What must be known of a tower beside its tensors: heads, activation, normalisation.

`text_tower` and `image_tower` compute CLIP, SigLIP and their relatives from their tensors, without
transformers, whose import alone takes longer than an answer. A tower that isn't exactly of these
architectures raises `UnknownArchitecture`, and transformers computes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from index.embed.checkpoint import Checkpoint
from index.embed.weights import Weights
from index.types.records import Floats

Activation: TypeAlias = Literal["quick_gelu", "gelu", "gelu_pytorch_tanh", "relu"]
ACTIVATIONS = ("quick_gelu", "gelu", "gelu_pytorch_tanh", "relu")
# Families with the towers of CLIP. MetaCLIP 2 has them with a vocabulary of many languages.
LIKE_CLIP = frozenset({"clip", "metaclip_2"})
# The parts of each layer; each has a weight and a bias.
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


Pair: TypeAlias = tuple[Floats, Floats | None]  # a layer's weight, (out, in), and bias


def joined(pairs: Sequence[Pair]) -> Pair:
    """One pair that has the outputs of all of them, side by side."""
    weight = pairs[0][0] if len(pairs) == 1 else np.concatenate([weight for weight, _ in pairs])
    biases = [bias for _, bias in pairs if bias is not None]
    return weight, np.concatenate(biases) if biases else None


class UnknownArchitecture(Exception):
    """The tower is of an architecture that isn't known here; the text says how it differs."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """One tower: where its layers are in the checkpoint, and what its tensors don't say."""

    prefix: str  # of the names of its tensors
    layers: int
    heads: int
    activation: Activation
    epsilon: float  # of the layer norms

    def layer(self, number: int) -> str:
        """The prefix of the names of a layer's tensors."""
        return f"{self.prefix}encoder.layers.{number}."


def configured(checkpoint: Checkpoint, side: Literal["text", "vision"]) -> dict[str, Any]:
    """The configuration of one side. The older form has priority, as in transformers."""
    for name in (f"{side}_config_dict", f"{side}_config"):
        settings = checkpoint.config.get(name)
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
    """The geometry of the tower whose tensors begin with `prefix`.

    others   names of its tensors outside the layers
    heads, activation, epsilon   the family's defaults; a configuration has only what differs

    raises   UnknownArchitecture
    """
    layers = 1 + max(
        (
            int(name.split(".")[3])
            for name in weights.names_under(f"{prefix}encoder.layers.")
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
    present = weights.names_under(prefix) | (expected & set(weights))
    differ = expected ^ present
    if differ or not layers or layers != settings.get("num_hidden_layers", layers):
        raise UnknownArchitecture(
            f"other tensors than expected, such as {min(differ, default='layers')}"
        )
    if made.activation not in ACTIVATIONS:
        raise UnknownArchitecture(f"an activation {made.activation!r}")
    return made
