"""Words to token ids, and which words fit in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from index.embed.checkpoint import Checkpoint

# Far more than the 64 or 77 tokens of any context: a book needn't be taken apart first.
MAX_CHARACTERS = 10_000
# Tokenizers whose file says all there is to do; others tidy texts in transformers first.
WHOLE_IN_THEIR_FILE = frozenset({"CLIPTokenizer", "CLIPTokenizerFast", "PreTrainedTokenizerFast"})


class Tokens(Protocol):
    """How a model's words are cut."""

    def __call__(self, texts: Sequence[str]) -> tuple[list[list[int]], list[str | None]]:
        """Ids of each text; and for each that was too long, the words that were read."""


def tokens(found: Checkpoint, context: int, *, padded: bool) -> Tokens:
    """The checkpoint's tokenizer.

    context   how many tokens are read at most
    padded    fill up to the context, as the model learnt it
    """
    if not padded and _is_whole_in_its_file(found):
        return FromFile(found, context)
    return FromTransformers(found, context, padded=padded)


def _is_whole_in_its_file(found: Checkpoint) -> bool:
    settings = found.folder / "tokenizer_config.json"
    if not settings.is_file() or not (found.folder / "tokenizer.json").is_file():
        return False
    return json.loads(settings.read_bytes()).get("tokenizer_class") in WHOLE_IN_THEIR_FILE


class FromFile:
    """`tokenizer.json`, by the library that transformers itself calls."""

    def __init__(self, found: Checkpoint, context: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(found.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(context)

    def __call__(self, texts: Sequence[str]) -> tuple[list[list[int]], list[str | None]]:
        texts = [text[:MAX_CHARACTERS] for text in texts]
        read = self._tokenizer.encode_batch(texts)
        kept = [
            up_to(text, max(end for _, end in one.offsets)) if one.overflowing else None
            for text, one in zip(texts, read, strict=True)
        ]
        return [one.ids for one in read], kept


class FromTransformers:
    """Whatever transformers makes of the folder."""

    def __init__(self, found: Checkpoint, context: int, *, padded: bool) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(found.folder, local_files_only=True)
        self._context = context
        self._padding = "max_length" if padded else False

    def __call__(self, texts: Sequence[str]) -> tuple[list[list[int]], list[str | None]]:
        texts = [text[:MAX_CHARACTERS] for text in texts]
        ids = self._tokenizer(
            texts, padding=self._padding, truncation=True, max_length=self._context
        )["input_ids"]
        return ids, [self._read(text) for text in texts]

    def _read(self, text: str) -> str | None:
        """The words that fit in the context; None when all of them do."""
        if len(self._tokenizer(text, verbose=False)["input_ids"]) <= self._context:
            return None
        cut = {"truncation": True, "max_length": self._context}
        if not self._tokenizer.is_fast:
            kept = self._tokenizer(text, **cut)["input_ids"]
            return str(self._tokenizer.decode(kept, skip_special_tokens=True)).strip()
        offsets = self._tokenizer(text, **cut, return_offsets_mapping=True)["offset_mapping"]
        return up_to(text, max(end for _, end in offsets))


def up_to(text: str, end: int) -> str:
    """The whole words before `end`, or what there is of the first."""
    whole = not text[end : end + 1].strip()
    return text[:end].strip() if whole else (text[:end].rpartition(" ")[0] or text[:end])
