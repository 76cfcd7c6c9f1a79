"""A CLIP of a few thousand random weights: it knows nothing, but puts similar pictures together."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import pre_tokenizers
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
CONTEXT = 16  # tokens; a longer text is truncated


def make(folder: Path) -> Path:
    """The model's folder, written by transformers itself."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [START, END, *letters, *(letter + "</w>" for letter in letters)]
    names = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    tokenizer = CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=[],
        model_max_length=CONTEXT,
        **names,
    )
    tower = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "projection_dim": 32,
    }
    text = {"vocab_size": len(tokens), "max_position_embeddings": CONTEXT}
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(
        text_config=tower | text | ids,
        vision_config=tower | {"image_size": 32, "patch_size": 8},
        projection_dim=32,
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(folder)
    return folder
