"""A small byte-level BPE vocabulary that `CLIPTokenizer` loads, learnt from captions."""

import json
from collections.abc import Iterable

from tokenizers import pre_tokenizers, trainers
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
END_OF_WORD = "</w>"
CONTEXT = 48  # tokens a text may have, start and end included


def learn(captions: Iterable[str], vocabulary: int = 6000) -> CLIPTokenizer:
    """A tokenizer whose merges come from `captions`; every byte is in it, so nothing is unknown."""
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
    """START is 0 and END is 1; then the bytes, the bytes that end a word, and the merges."""
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
