"""A text is read to its end, whatever is written in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from index.embed import checkpoint
from index.embed.tokens import FromFile, FromTransformers, Tokens

CONTEXT = 32


def of_clip_from_its_file(clip: Path, _: Path) -> Tokens:
    return FromFile(checkpoint.find(str(clip)), CONTEXT, padded=False)


def of_clip_by_transformers(clip: Path, _: Path) -> Tokens:
    return FromTransformers(checkpoint.find(str(clip)), CONTEXT, padded=False)


def of_siglip_from_its_file(clip: Path, folder: Path) -> Tokens:
    return FromFile(siglip(clip, folder), CONTEXT, padded=True)


def of_siglip_by_transformers(clip: Path, folder: Path) -> Tokens:
    return FromTransformers(siglip(clip, folder), CONTEXT, padded=True)


def siglip(clip: Path, folder: Path) -> checkpoint.Checkpoint:
    """Pieces of words with special tokens, as in the families that SentencePiece was made for."""
    letters = [(letter, -3.0) for letter in "▁<>/|_abcdefghijklmnopqrstuvwxyz"]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁dog", -1.0), ("▁cat", -1.0)]
    tokenizer = Tokenizer(models.Unigram([*pieces, *letters], unk_id=2))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    for name in ("config.json", "model.safetensors", "preprocessor_config.json"):
        (folder / name).write_bytes((clip / name).read_bytes())
    return checkpoint.find(str(folder))


ALL = [
    of_clip_from_its_file,
    of_clip_by_transformers,
    of_siglip_from_its_file,
    of_siglip_by_transformers,
]


@pytest.mark.parametrize("made", ALL)
@pytest.mark.parametrize("name", ["<|endoftext|>", "<|startoftext|>", "</s>", "<PAD>", "<pad>"])
def test_the_name_of_a_special_token_is_plain_text(
    name: str, made: Callable[[Path, Path], Tokens], tiny_clip: Path, tmp_path: Path
) -> None:
    tokens = made(tiny_clip, tmp_path)
    (empty, word, with_name), _ = tokens(["", "cat", f"dog {name} cat"])
    special = set(empty)  # what stands at the ends of a text, or fills it up

    def read(ids: list[int]) -> list[int]:
        """The ids of the text itself, which no special id interrupts."""
        inside = [id not in special for id in ids]
        first, last = inside.index(True), len(ids) - inside[::-1].index(True)
        assert all(inside[first:last])
        return ids[first:last]

    assert read(with_name)[-len(read(word)) :] == read(word)
    assert len(read(with_name)) >= 2 * len(read(word)) + 4
