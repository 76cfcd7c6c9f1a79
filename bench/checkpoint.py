"""Checkpoints for benches.

`vit_b32` is a CLIP of the same shapes as ViT-B/32 with random weights: as slow and large, but no
download. `unjudging` is any checkpoint without the number that words are judged with.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import BUILD
from pocket import MODEL

SEED = 32


def vit_b32(*, text_width: int = 512) -> Path:
    """A folder that `CLIPModel.from_pretrained` loads, made once under build/.

    The weights are random (with a fixed seed), so its answers mean nothing. Its shapes, and so its
    times and memory, are those of openai/clip-vit-base-patch32. The tokenizer is the pocket
    model's, whose ids fit into the vocabulary.

    text_width   of the text tower, where it is not ViT-B/32's
    """
    usual = text_width == 512
    folder = BUILD / ("vit-b32-seeded" if usual else f"vit-b32-seeded-{text_width}")
    if (folder / "ready").exists():
        return folder
    import torch
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPTextConfig,
        CLIPTokenizer,
        CLIPVisionConfig,
    )

    tokenizer = CLIPTokenizer.from_pretrained(MODEL)
    text = CLIPTextConfig(
        hidden_size=text_width,
        intermediate_size=4 * text_width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(SEED)
    shutil.rmtree(folder, ignore_errors=True)
    CLIPModel(CLIPConfig(text_config=text, vision_config=CLIPVisionConfig())).save_pretrained(
        folder
    )
    tokenizer.model_max_length = text.max_position_embeddings
    tokenizer.save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)
    (folder / "ready").touch()
    return folder


def unjudging(model: Path) -> Path:
    """The folder of the same checkpoint without its `logit_scale`, made once under build/.

    Without it no words are judged, so every question has an answer with pictures. Random weights
    and pictures of noise fit no words: the answer would be a sentence, and reading the messages of
    hits again, and sending their pictures, would not be measured.
    """
    folder = BUILD / f"{model.name}-unjudging"
    if (folder / "ready").exists():
        return folder
    from safetensors.numpy import load_file, save_file

    shutil.rmtree(folder, ignore_errors=True)
    weights = "model.safetensors"
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns(weights, "ready"))
    tensors = load_file(model / weights)
    del tensors["logit_scale"]
    save_file(tensors, folder / weights, metadata={"format": "pt"})
    (folder / "ready").touch()
    return folder
