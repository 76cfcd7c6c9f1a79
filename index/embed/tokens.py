"""Texts to token ids, and the part of a text that fits into the context."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from index.embed.checkpoint import Checkpoint
from index.embed.preprocessing import quiet

# Longer texts are cut before they are tokenised. It is far more than the 64 or 77 tokens of any
# context.
MAX_CHARACTERS = 10_000
# Tokenizers that `tokenizer.json` describes completely. Others also need code of transformers.
COMPLETE_IN_FILE = frozenset(
    {
        "CLIPTokenizer",
        "GemmaTokenizer",
        "PreTrainedTokenizer",
        "Siglip2Tokenizer",
        "SiglipTokenizer",
        "Tipsv2Tokenizer",
        "TokenizersBackend",
        "XLMRobertaTokenizer",
    }
)
# SigLIP 2 has the vocabulary of Gemma, which knows capitals, but was trained with lower case only.
LOWERED_FAMILIES = frozenset({"siglip", "siglip2"})

# A text with fewer bytes a piece was spelled. The pocket model's gibberish has 1.0 to 1.3, Chinese
# words that it knows have 1.5 and more.
BYTES_A_PIECE = 1.3
SPELLED_LETTERS = 40  # how much of a text is looked at


class Tokens(Protocol):
    """A model's tokenizer."""

    def __call__(self, texts: Sequence[str]) -> tuple[list[list[int]], list[str | None]]:
        """The ids of each text; and the words that were read of it, or None when all were."""

    def pieces(self, text: str) -> int:
        """How many pieces a short text is cut into, without the marks around it."""


def tokens(checkpoint: Checkpoint, context: int, *, padded: bool) -> Tokens:
    """The checkpoint's tokenizer.

    context   the greatest number of tokens
    padded    texts are filled up to the context, as in the model's training
    """
    if _is_complete_in_file(checkpoint):
        return FromFile(checkpoint, context, padded=padded)
    return FromTransformers(checkpoint, context, padded=padded)


def _is_complete_in_file(checkpoint: Checkpoint) -> bool:
    if not (checkpoint.folder / "tokenizer.json").is_file():
        return False
    named = str(_settings(checkpoint).get("tokenizer_class"))
    return named.removesuffix("Fast") in COMPLETE_IN_FILE


def _settings(checkpoint: Checkpoint) -> dict[str, Any]:
    file = checkpoint.folder / "tokenizer_config.json"
    settings: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {}
    return settings


def _names(special: Sequence[str]) -> re.Pattern[str]:
    """Finds the names of special tokens in a text, in any case."""
    names = [re.escape(name) for name in special if len(name) > 1]
    return re.compile("|".join(names) or "(?!)", re.IGNORECASE)


def _plain(text: str, special: re.Pattern[str], *, lowered: bool) -> str:
    """The text without names of special tokens: a blank is put into each of them.

    A text may contain such a name, and is not to end there. Vocabularies of SentencePiece have
    these names as pieces of words, too.
    """
    text = text[:MAX_CHARACTERS]
    text = text.lower() if lowered else text
    return special.sub(lambda name: f"{name[0][0]} {name[0][1:]}", text)


def _is_lowered(checkpoint: Checkpoint) -> bool:
    return checkpoint.family in LOWERED_FAMILIES and checkpoint.languages == "many"


class FromFile:
    """The tokenizer of `tokenizer.json`, by the library that transformers uses too."""

    def __init__(self, checkpoint: Checkpoint, context: int, *, padded: bool) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(checkpoint.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(context)
        added = self._tokenizer.get_added_tokens_decoder().values()
        self._special = _names([token.content for token in added if token.special])
        self._lowered = _is_lowered(checkpoint)
        settings = _settings(checkpoint)
        named = settings.get("pad_token")
        name = named.get("content") if isinstance(named, dict) else named
        self._padding = (self._tokenizer.token_to_id(name) if name else None) or 0
        self._left = settings.get("padding_side") == "left"
        self._length = context if padded else 1

    def __call__(self, texts: Sequence[str]) -> tuple[list[list[int]], list[str | None]]:
        texts = [_plain(text, self._special, lowered=self._lowered) for text in texts]
        encoded = self._tokenizer.encode_batch(texts)
        kept = [
            whole_words(text, max(end for _, end in one.offsets)) if one.overflowing else None
            for text, one in zip(texts, encoded, strict=True)
        ]
        return [self._filled(one.ids) for one in encoded], kept

    def _filled(self, ids: list[int]) -> list[int]:
        """The ids with padding; at least one, since some tokenizers give none for no text."""
        padding = [self._padding] * (self._length - len(ids))
        return padding + ids if self._left else ids + padding

    def pieces(self, text: str) -> int:
        """How many pieces a short text is cut into, without the marks around it."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


class FromTransformers:
    """The tokenizer that transformers makes of the folder."""

    def __init__(self, checkpoint: Checkpoint, context: int, *, padded: bool) -> None:
        from transformers import AutoTokenizer

        with quiet():
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                checkpoint.folder,
                local_files_only=True,
                split_special_tokens=True,  # a text may contain the name of one
            )
        self._special = _names(self._tokenizer.all_special_tokens)
        self._lowered = _is_lowered(checkpoint)
        self._context = context
        self._padding = "max_length" if padded else False

    def __call__(self, texts: Sequence[str]) -> tuple[list[list[int]], list[str | None]]:
        texts = [_plain(text, self._special, lowered=self._lowered) for text in texts]
        ids = self._tokenizer(
            texts, padding=self._padding, truncation=True, max_length=self._context
        )["input_ids"]
        return ids, [self._read(text) for text in texts]

    def pieces(self, text: str) -> int:
        """How many pieces a short text is cut into, without the marks around it."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _read(self, text: str) -> str | None:
        """The words that fit in the context; None when all of them do."""
        if len(self._tokenizer(text, verbose=False)["input_ids"]) <= self._context:
            return None
        cut = {"truncation": True, "max_length": self._context}
        if not self._tokenizer.is_fast:
            kept = self._tokenizer(text, **cut)["input_ids"]
            return str(self._tokenizer.decode(kept, skip_special_tokens=True)).strip()
        offsets = self._tokenizer(text, **cut, return_offsets_mapping=True)["offset_mapping"]
        return whole_words(text, max(end for _, end in offsets))


def is_spelled(text: str, pieces: Callable[[str], int]) -> bool:
    """Whether a tokenizer cuts the text into single letters, as it does with what was hardly in the
    texts that it was made from: gibberish, and scripts that its model can't read.

    Numbers don't count, since tokenizers cut them on purpose.
    pieces   how many pieces it cuts a text into
    """
    letters = "".join(one for one in text[:SPELLED_LETTERS] if not one.isdecimal())
    size = len("".join(letters.split()).encode())
    return bool(size) and size < BYTES_A_PIECE * pieces(letters)


def whole_words(text: str, end: int) -> str:
    """The complete words before position `end`; when there is none, the beginning of the first."""
    ends_a_word = not text[end : end + 1].strip()
    return text[:end].strip() if ends_a_word else (text[:end].rpartition(" ")[0] or text[:end])
