"""Checkpoints made for the tests: real architectures, seeded weights, nothing downloaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    SiglipConfig,
    SiglipModel,
    Tipsv2Config,
    Tipsv2Model,
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
    """CLIP ViT-B/32 with four layers; its tokenizer has letters in place of words."""
    config = CLIPConfig(
        text_config={"num_hidden_layers": 4}, vision_config={"num_hidden_layers": 4}
    )
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


def siglip2_b32(folder: Path) -> Path:
    """SigLIP 2 base, patch 32, 256 pixels, with two layers; its files say that it is a SigLIP.

    Its vocabulary knows capitals, as Gemma's does.
    """
    config = SiglipConfig(
        text_config={"num_hidden_layers": 2, "vocab_size": 256_000, "hidden_size": 48},
        vision_config={"num_hidden_layers": 2, "patch_size": 32, "image_size": 256},
    )
    config.text_config.projection_size = config.vision_config.hidden_size
    processor = SiglipImageProcessorPil(size={"height": 256, "width": 256}, resample=2)
    tokenizer = _word_tokenizer(64, lowercase=False)
    _save(folder, _seeded(SiglipModel, config), tokenizer, processor)
    return _named(folder, "GemmaTokenizer", padding_side="right")


def metaclip2_b32(folder: Path) -> Path:
    """MetaCLIP 2 worldwide B/32 with two layers and few words.

    Its end token has the number 2, and its files squeeze a picture and then crop it to its size.
    """
    config = MetaClip2Config(
        text_config={
            "num_hidden_layers": 2,
            "vocab_size": 1000,
            "hidden_act": "gelu",
            "bos_token_id": None,
            "eos_token_id": 2,
            "pad_token_id": None,
        },
        vision_config={"num_hidden_layers": 2, "hidden_act": "gelu"},
    )
    square = {"height": 224, "width": 224}
    processor = CLIPImageProcessorPil(size=square, crop_size=square)
    tokenizer = _word_tokenizer(77, first=("<s>", "<pad>", "</s>", "<unk>"))
    _save(folder, _seeded(MetaClip2Model, config), tokenizer, processor)
    return _named(folder, "XLMRobertaTokenizer")


def tips2_b14(folder: Path) -> Path:
    """TIPS v2 B/14 with two layers and few words; its files say nothing of its preprocessing."""
    config = Tipsv2Config(
        text_config={"num_hidden_layers": 2, "vocab_size": 1000},
        vision_config={"num_hidden_layers": 2},
    )
    model = _seeded(Tipsv2Model, config)
    for name, tensor in model.named_parameters():
        if name.endswith(("lambda1", "_tokens", "_token", "bias")):  # they are all alike at first
            torch.nn.init.normal_(tensor, 0.5 if name.endswith("lambda1") else 0.0, 0.2)
    _save(folder, model, _word_tokenizer(64, ends=False))
    return _named(folder, "Tipsv2Tokenizer", pad_token="<pad>")


def _named(folder: Path, tokenizer: str, **settings: str) -> Path:
    """The folder, whose files now say of which class its tokenizer is."""
    file = folder / "tokenizer_config.json"
    said = json.loads(file.read_text()) | {"tokenizer_class": tokenizer, **settings}
    file.write_text(json.dumps(said))
    return folder


def _seeded(kind: Any, config: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return kind(config).eval()


def _save(folder: Path, *parts: Any) -> Path:
    """Write the model, the tokenizer and the processor into the folder."""
    transformers.utils.logging.disable_progress_bar()
    for part in parts:
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


def _word_tokenizer(
    context: int,
    first: Sequence[str] = ("<pad>", "<eos>", "<unk>"),
    *,
    lowercase: bool = True,
    ends: bool = True,
) -> Any:
    """A tokenizer of whole words, with an end token and padding, as SigLIP's.

    first   its special tokens, in the order of their numbers
    ends    a text ends with the end token
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = [*first, "a", "the", "dog", "cat", "rocket", "coffee", "in", "snow"]
    numbers = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    if lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    end = next(word for word in ("<eos>", "</s>") if word in first)
    if ends:
        template = f"<s> $A {end}" if "<s>" in first else f"$A {end}"
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=[(word, numbers[word]) for word in first]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token=end,
        unk_token="<unk>",
        model_max_length=context,
        model_input_names=["input_ids"],
    )
