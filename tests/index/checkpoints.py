"""Checkpoints made for the tests: real architectures, seeded weights, nothing downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    AltCLIPConfig,
    AltCLIPModel,
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    SiglipConfig,
    SiglipModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil


def tiny_clip(folder: Path, seed: int = 0, projection: int = 24) -> Path:
    """A CLIP that looks at 32 pixels and reads 32 tokens."""
    vocabulary = _bytes_vocabulary()
    start, end = vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]
    tower = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    config = CLIPConfig(
        text_config={
            **tower,
            "vocab_size": len(vocabulary),
            "max_position_embeddings": 32,
            "bos_token_id": start,
            "eos_token_id": end,
            "pad_token_id": end,
        },
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=projection,
    )
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return _save(folder, _seeded(CLIPModel, config, seed), _clip_tokenizer(32), processor)


def tiny_altclip(folder: Path) -> Path:
    """An AltCLIP: its text side is a RoBERTa, and its files give the size as one number."""
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    config = AltCLIPConfig(
        text_config={**tower, "num_hidden_layers": 2, "project_dim": 24, "vocab_size": 1000},
        vision_config={**tower, "num_hidden_layers": 2, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    _save(folder, _seeded(AltCLIPModel, config), _word_tokenizer(514), processor)
    file = folder / "preprocessor_config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps(settings | {"size": 32, "crop_size": 32}))
    return folder


def clip_b32(folder: Path) -> Path:
    """CLIP ViT-B/32 of full size; its tokenizer has letters in place of words."""
    config = CLIPConfig()
    vocabulary = _bytes_vocabulary()
    config.text_config.bos_token_id = vocabulary["<|startoftext|>"]
    config.text_config.eos_token_id = vocabulary["<|endoftext|>"]
    config.text_config.pad_token_id = vocabulary["<|endoftext|>"]
    return _save(folder, _seeded(CLIPModel, config), _clip_tokenizer(77), CLIPImageProcessorPil())


def siglip_b16(folder: Path) -> Path:
    """SigLIP base, patch 16, 224 pixels, with two layers: it squeezes the whole picture."""
    config = SiglipConfig(
        text_config={"num_hidden_layers": 2, "vocab_size": 1000},
        vision_config={"num_hidden_layers": 2},
    )
    processor = SiglipImageProcessorPil(size={"height": 224, "width": 224})
    return _save(folder, _seeded(SiglipModel, config), _word_tokenizer(64), processor)


def siglip2_b16(folder: Path) -> Path:
    """SigLIP 2 base with free resolution (NaFlex), with two layers and few words.

    Widths, heads, patches and resolution are those of the published model. All 12 layers and its
    256,000 words would take a gigabyte and a minute, and run no other code.
    """
    config = Siglip2Config(
        text_config={"num_hidden_layers": 2, "vocab_size": 1000},
        vision_config={"num_hidden_layers": 2},
    )
    processor = Siglip2ImageProcessorPil()
    return _save(folder, _seeded(Siglip2Model, config), _word_tokenizer(64), processor)


def _seeded(kind: Any, config: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return kind(config).eval()


def _save(folder: Path, model: Any, tokenizer: Any, processor: Any) -> Path:
    transformers.utils.logging.disable_progress_bar()
    for part in (model, tokenizer, processor):
        part.save_pretrained(folder)
    transformers.utils.logging.enable_progress_bar()
    return folder


def _bytes_vocabulary() -> dict[str, int]:
    """CLIP's byte tokens: one for each byte within a word, and one for it at a word's end."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [byte for byte in range(256) if byte not in plain]
    letters = [chr(byte) for byte in plain] + [chr(256 + i) for i in range(len(moved))]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    return {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}


def _clip_tokenizer(context: int) -> Any:
    return CLIPTokenizer(vocab=_bytes_vocabulary(), merges=[], model_max_length=context)


def _word_tokenizer(context: int) -> Any:
    """A tokenizer of whole words, with an end token and padding, as SigLIP's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = ["<pad>", "<eos>", "<unk>", "a", "the", "dog", "cat", "rocket", "coffee", "in", "snow"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        model_max_length=context,
        model_input_names=["input_ids"],
    )
