"""A small byte-level BPE vocabulary that `CLIPTokenizer` loads, learnt from captions."""

import json
from collections.abc import Iterable

from tokenizers import pre_tokenizers, trainers
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
END_OF_WORD = "</w>"
CONTEXT = 48  # tokens that a text may have, with start and end


def learn(captions: Iterable[str], vocabulary: int = 6000) -> CLIPTokenizer:
    """A tokenizer with merges learnt from `captions`. It has all bytes, so no text is unknown."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    blank = assemble(letters, [])
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=3,
        show_progress=False,
        initial_alphabet=letters,
        end_of_word_suffix=END_OF_WORD,
    )
    backend = blank.backend_tokenizer
    backend.train_from_iterator(captions, trainer=trainer)
    return assemble(letters, merges_of(backend.to_str()))


def merges_of(serialised: str) -> list[tuple[str, str]]:
    return [tuple(pair) for pair in json.loads(serialised)["model"]["merges"]]


def assemble(letters: list[str], merges: list[tuple[str, str]]) -> CLIPTokenizer:
    """The tokenizer: START is 0, END is 1, then bytes, bytes that end a word, and merges."""
    tokens = [START, END, *letters, *(letter + END_OF_WORD for letter in letters)]
    tokens += [a + b for a, b in merges]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,  # type: ignore[arg-type]  # pairs too, whatever its annotation says
        bos_token=START,
        eos_token=END,
        pad_token=END,
        unk_token=END,
        model_max_length=CONTEXT,
    )
