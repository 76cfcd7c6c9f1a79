"""TIPS v2: its tensors under CLIP's names, and what else it does in another way than CLIP.

Its text side adds sines to the token embeddings instead of learnt positions, and its features are
the mean of all rows. Its image side is a DINOv2: a class row, registers behind it, and each layer's
two outputs are multiplied by learnt numbers, which are multiplied into the weights here.

source   Cao et al., "TIPSv2: Advancing Vision-Language Pretraining with Enhanced Patch-Text
         Alignment", CVPR 2026
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from index.types.records import Floats

if TYPE_CHECKING:
    from index.embed.weights import Weights

FAMILY = "tipsv2"
# Rows between the class row and the patches, which have no positions.
REGISTERS = "vision_model.embeddings.register_tokens"
# What its files leave out where nothing differs from it: a picture is squeezed, bilinearly (2), and
# its pixels stay between 0 and 1.
PREPROCESSING = {
    "size": {"height": 448, "width": 448},
    "resample": 2,
    "do_resize": True,
    "do_rescale": True,
    "do_normalize": False,
}
# What logits are divided by, where neither its files nor its tensors say it.
TEMPERATURE = 0.005065968260169029
CONTEXT = 64
# The tokens of a text get sines of wavelengths from 1 to this many positions, times 2 pi.
LONGEST_WAVE = 10_000

# The names of the files, and CLIP's for the same.
NAMES = (
    (r"^text_encoder\.token_embedding\.", "text_model.embeddings.token_embedding."),
    (r"^text_encoder\.ln_final\.", "text_model.final_layer_norm."),
    (r"^text_encoder\.transformer\.resblocks\.", "text_model.encoder.layers."),
    (r"^vision_encoder\.patch_embed\.proj\.", "vision_model.embeddings.patch_embedding."),
    (r"^vision_encoder\.norm\.", "vision_model.post_layernorm."),
    (r"^vision_encoder\.blocks\.", "vision_model.encoder.layers."),
    (r"\.(ln_|norm)([12])\.", r".layer_norm\2."),
    (r"\.attn\.(proj|out_proj)\.", ".self_attn.out_proj."),
    (r"\.attn\.(in_proj_|qkv\.)", ".self_attn.in_proj."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
# What the output of this part of an image layer is multiplied by.
SCALES = {"self_attn.out_proj": "ls1.gamma", "mlp.fc2": "ls2.gamma"}


def as_clip(config: dict[str, Any], weights: Weights) -> Weights:
    """The tensors under CLIP's names. Those of another form keep their own, so no tower fits.

    config   without the sizes of its towers, such as files from before transformers had TIPS:
             transformers decides what they are
    """
    if not config.get("vision_config"):
        return weights
    read: dict[str, Callable[[], Floats]] = {}
    for name in weights:
        known = _known(name)
        if ".in_proj." in known:
            for part, which in enumerate("qkv"):
                read[known.replace("in_proj", f"{which}_proj")] = partial(
                    _third, weights, name, part
                )
        elif not known.endswith((".mask_token", ".gamma", "temperature")):
            read[known] = partial(_scaled, weights, name, _scale_of(name, known))
    if "vision_encoder.pos_embed" in weights:
        positions = "vision_model.embeddings.position_embedding.weight"
        read[positions] = lambda: weights["vision_encoder.pos_embed"][0]
        read["vision_model.embeddings.class_embedding"] = lambda: weights[
            "vision_encoder.cls_token"
        ].reshape(-1)
        read[REGISTERS] = lambda: weights["vision_encoder.register_tokens"][0]
        for name in ("pos_embed", "cls_token", "register_tokens"):
            read.pop(f"vision_encoder.{name}", None)
    if "text_encoder.token_embedding.weight" in weights:
        read["text_model.embeddings.position_embedding.weight"] = lambda: sines(
            CONTEXT, weights["text_encoder.token_embedding.weight"].shape[1]
        )
    return weights.renamed(read)


def _known(name: str) -> str:
    for ours, clips in NAMES:
        name = re.sub(ours, clips, name)
    return name


def _third(weights: Weights, name: str, part: int) -> Floats:
    """One of the layers of q, k and v, which are stored as one."""
    third: Floats = np.split(weights[name], 3)[part]
    return third


def _scale_of(name: str, known: str) -> str | None:
    """The name of what this tensor's outputs are multiplied by."""
    part = next((scale for of, scale in SCALES.items() if f".{of}." in known), None)
    block = re.match(r"vision_encoder\.blocks\.\d+\.", name)
    return f"{block[0]}{part}" if block and part else None


def _scaled(weights: Weights, name: str, scale: str | None) -> Floats:
    array = weights[name]
    if scale is None:
        return array
    scaled: Floats = (array.T * weights[scale]).T  # (out, in) and (out,): each output
    return scaled


def sines(positions: int, width: int) -> Floats:
    """What is added to the token at each position, (positions, width): sines, then cosines.

    source   tensor2tensor, which differs from "Attention Is All You Need" in the order
    """
    half = width // 2
    waves = np.exp(-np.arange(half) * (math.log(LONGEST_WAVE) / (half - 1)))
    angles = np.arange(positions)[:, None] * waves
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def scale_of_tokens(settings: dict[str, Any], weights: Weights) -> float:
    """What token embeddings are multiplied by."""
    width = weights["text_model.embeddings.token_embedding.weight"].shape[1]
    return math.sqrt(width) if settings.get("scale_sqrt_depth", True) else 1.0


def scale(config: dict[str, Any], weights: Weights) -> float:
    """What cosines are multiplied by, for the probability that a text belongs to a picture."""
    if "temperature" in weights:
        return 1 / float(weights["temperature"].reshape(-1)[0])
    return 1 / float(config.get("temperature_init_value", TEMPERATURE))
