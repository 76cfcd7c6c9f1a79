"""The sizes of published models, and checkpoints of these sizes with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

SEED = 32
SQUARE_224 = {"height": 224, "width": 224}


def _clip(vision: dict[str, Any], text: dict[str, Any], projection: int) -> dict[str, Any]:
    return {
        "model_type": "clip",
        "projection_dim": projection,
        "vision_config": {"projection_dim": projection, **vision},
        "text_config": {"projection_dim": projection, **text},
    }


def _siglip(patch: int, edge: int, pieces: int) -> dict[str, Any]:
    return {
        "model_type": "siglip",
        "vision_config": {"patch_size": patch, "image_size": edge},
        "text_config": {"vocab_size": pieces},
    }


def _metaclip2(
    width: int, layers: int, heads: int, patch: int, text: int, pieces: int = 901_629, end: int = 2
) -> dict[str, Any]:
    projection = text
    return {
        "model_type": "metaclip_2",
        "projection_dim": projection,
        "vision_config": {
            "hidden_size": width,
            "intermediate_size": 4 * width,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "patch_size": patch,
            "hidden_act": "gelu",
            "projection_dim": projection,
        },
        "text_config": {
            "hidden_size": text,
            "intermediate_size": 4 * text,
            "num_attention_heads": text // 64,
            "vocab_size": pieces,
            "hidden_act": "gelu",
            "bos_token_id": None,
            "eos_token_id": end,
            "pad_token_id": None,
            "projection_dim": projection,
        },
    }


LARGE = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "patch_size": 14,
}
WIDE_TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}

# What each model's config.json says of its sizes, as far as it differs from transformers' defaults.
SIZES: dict[str, dict[str, Any]] = {
    "openai/clip-vit-base-patch32": _clip({}, {}, 512),
    "openai/clip-vit-large-patch14": _clip(LARGE, WIDE_TEXT, 768),
    "google/siglip2-base-patch32-256": _siglip(32, 256, 256_000),
    "google/siglip2-base-patch16-224": _siglip(16, 224, 256_000),
    "google/siglip-base-patch16-224": _siglip(16, 224, 32_000),
    "google/siglip-base-patch16-256-multilingual": _siglip(16, 256, 250_000),
    "facebook/metaclip-2-mt5-worldwide-b32": _metaclip2(768, 12, 12, 32, 512, 250_000, 1),
    "facebook/metaclip-2-worldwide-s16": _metaclip2(384, 12, 6, 16, 384),
    "facebook/metaclip-2-worldwide-b32": _metaclip2(768, 12, 12, 32, 512),
    "google/tipsv2-b14": {"model_type": "tipsv2", "vision_config": {}, "text_config": {}},
}


def made(config: dict[str, Any]) -> Any:
    """transformers' model of these sizes, on whatever device torch makes tensors."""
    import transformers

    settings = transformers.CONFIG_MAPPING[config["model_type"]](
        **{name: value for name, value in config.items() if name != "model_type"}
    )
    auto: Any = transformers.AutoModel  # has no annotations
    return auto.from_config(settings)


def parameters(name: str) -> int:
    """How many numbers the model has, without making them."""
    import torch

    with torch.device("meta"):
        model = made(SIZES[name])
    return sum(tensor.numel() for tensor in model.parameters())


def seeded(name: str, folder: Path) -> Path:
    """A checkpoint of this model's sizes in the folder.

    Its tokenizer knows few words: each other one is one unknown piece, so that a question has as
    many pieces as words, and padding where the model has it.
    """
    import torch
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    shutil.rmtree(folder, ignore_errors=True)
    config = SIZES[name]
    torch.manual_seed(SEED)
    model = made(config).eval()
    model.save_pretrained(folder)
    context = model.config.text_config.max_position_embeddings
    family, ends = config["model_type"], model.config.text_config.eos_token_id
    end = ends if family == "metaclip_2" else 49_407 if family == "clip" else 1
    _save_tokenizer(folder, context, end, ended=family != "tipsv2")
    if family == "siglip":
        edge = config["vision_config"]["image_size"]
        size = {"height": edge, "width": edge}
        SiglipImageProcessorPil(
            size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3
        ).save_pretrained(folder)
    elif family != "tipsv2":
        CLIPImageProcessorPil().save_pretrained(folder)
    return folder


def _save_tokenizer(folder: Path, context: int, end: int, *, ended: bool) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    numbers = {"<pad>": 0, "<unk>": 3, "<end>": end}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if ended:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A <end>", special_tokens=[("<end>", end)]
        )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "model_max_length": context,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
