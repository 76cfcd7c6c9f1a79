"""Figures of the pocket model, on newly rendered scenes that were not used in training.

The pairs of subject and place in the questions were never trained. Half of the gallery shows them;
the other half shows all subjects in other places. The product's own code searches it. Everything is
seeded, so the same weights and artwork give the same figures.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from index.search.rows import Rows
from index.types.filter import Filter
from index.types.records import Changes, Entries
from pocket import MODEL
from pocket.artwork import LANGUAGES, TRAINED_STYLES, UNSEEN_STYLE, Artwork
from pocket.captions import article, pick, place_terms, plural
from pocket.material import Studio, held_out
from pocket.places import PLACES, Random
from pocket.scenes import COLOURS, FRAME, Scene
from pocket.wording import AND, FORMS, NUMBER_WORDS, PLACE_WORDS

Floats = npt.NDArray[np.float32]
SEED = 90_001  # far from all training seeds
GALLERY = 2000
SPACE = 0

# sentence forms and words for places that no caption uses
UNSEEN_FORMS = (
    "does anybody still have the shot of {a} {p}",
    "i remember {a}, it was {p}",
    "that one with {a} {p} please",
    "who posted {a} {p} last week",
    "looking for my {s} {p}",
)
UNSEEN_PLACES = {
    "snow": ("surrounded by snow", "when everything was snowy"),
    "beach": ("lying at a beach", "next to the beach"),
    "sea": ("far out at sea", "surrounded by ocean"),
    "forest": ("deep inside a forest", "near some woods"),
    "city": ("right in a big city", "in a busy street"),
    "desert": ("lost in a desert", "in a hot desert"),
    "night": ("during the night", "late at night"),
    "indoors": ("somewhere indoors", "inside a living room"),
    "meadow": ("on some meadow", "in tall grass"),
    "sunset": ("during a sunset", "while the sunset glowed"),
    "rain": ("in heavy rain", "when it was rainy"),
    "mountains": ("high up in mountains", "below a mountain"),
}


class Loaded:
    """The model folder, opened with plain transformers."""

    def __init__(self, folder: Path | str = MODEL) -> None:
        self.model = CLIPModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self.words = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        self.processor = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)

    @torch.inference_mode()
    def pictures(self, images: Sequence[Image.Image], batch: int = 128) -> Floats:
        """Unit embeddings, (n, d) float32."""
        parts = []
        for start in range(0, len(images), batch):
            values = self.processor(list(images[start : start + batch]), return_tensors="pt")
            features = self.model.get_image_features(**values).pooler_output
            parts.append(F.normalize(features, dim=-1))
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str], batch: int = 256) -> Floats:
        """Unit embeddings, (n, d) float32."""
        parts = []
        for start in range(0, len(texts), batch):
            tokens = self.words(
                list(texts[start : start + batch]),
                padding=True,
                truncation=True,
                return_tensors="pt",
            )
            features = self.model.get_text_features(**tokens).pooler_output
            parts.append(F.normalize(features, dim=-1))
        return np.asarray(torch.cat(parts).numpy(), np.float32)


@dataclass(frozen=True, slots=True)
class Measured:
    """A share of questions, and their number."""

    value: float
    asked: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the share, by Wilson's score."""
        n, p, z = max(1, self.asked), self.value, 1.96
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return middle - half, middle + half


class Gallery:
    """Vectors of pictures in the product's own row store, and the scenes that they show."""

    def __init__(self, vectors: Floats, scenes: Sequence[Scene]) -> None:
        self.scenes, self.vectors = list(scenes), vectors
        self.rows = Rows(vectors.shape[1])
        count = len(vectors)
        entries = Entries(
            vectors=vectors,
            links=np.arange(count, dtype=np.int64),
            frames=np.ones(count, np.int64),
            spaces=np.full(count, SPACE, np.int64),
            groups=np.zeros(count, np.int64),
            texts=np.zeros(count, np.bool_),
            owners=np.zeros(count, np.int64),
            posted=np.zeros(count),
        )
        self.rows.apply(Changes(added=entries, removed=()))

    def best(self, query: Floats, k: int) -> tuple[list[Scene], float]:
        """The k best scenes, and the score of the first."""
        found = self.rows.search(query, Filter(SPACE), k=k)
        return [self.scenes[int(n)] for n in found.links], float(found.scores[0])


Right = Callable[[Scene], bool]


def shows(subject: int | None = None, place: str | None = None) -> Right:
    def right(scene: Scene) -> bool:
        return (subject is None or subject in scene.subjects) and (
            place is None or place in scene.places
        )

    return right


def hit_share(gallery: Gallery, queries: Floats, rights: Sequence[Right], k: int) -> Measured:
    """The share of questions for which one of the k best answers is right."""
    hits = [
        any(right(scene) for scene in gallery.best(query, k)[0])
        for query, right in zip(queries, rights, strict=True)
    ]
    return Measured(float(np.mean(hits)), len(hits))


def precision(gallery: Gallery, queries: Floats, rights: Sequence[Right], k: int) -> Measured:
    """The share of right answers among the k best."""
    shares = [
        sum(right(scene) for scene in gallery.best(query, k)[0]) / k
        for query, right in zip(queries, rights, strict=True)
    ]
    return Measured(float(np.mean(shares)), len(shares))


def area_under_curve(present: Sequence[float], absent: Sequence[float]) -> float:
    """The probability that the best score of a present subject is above that of an absent one."""
    a, b = np.asarray(present)[:, None], np.asarray(absent)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


class Evaluation:
    """All figures of one model, on a gallery of `size` pictures."""

    def __init__(self, artwork: Artwork, loaded: Loaded, *, size: int = GALLERY) -> None:
        self.artwork, self.loaded, self.size = artwork, loaded, size
        self.subjects = artwork.subjects
        self.rng = np.random.default_rng(SEED)
        self.studio = Studio(artwork, TRAINED_STYLES, SEED, backdrops_a_place=24)
        self.pairs = [
            (n, place)
            for n, subject in enumerate(self.subjects)
            for place in PLACES
            if held_out(subject.name, place)
        ]
        self.scenes = self._scenes()
        self.gallery = self._gallery(self.studio, self.scenes)

    def _scenes(self) -> list[Scene]:
        """The held-out pairs, each twice, and all subjects in places where they were trained.

        So all subjects are there, most of them also in other places, and a question that names only
        the subject is not enough.
        """
        scenes = [Scene((s,), p) for s, p in 2 * self.pairs][: self.size]
        subject = 0
        while len(scenes) < self.size:
            place = pick(self.rng, PLACES[:-1])
            if not held_out(self.subjects[subject].name, place):
                scenes.append(Scene((subject,), place))
                subject = (subject + 1) % len(self.subjects)
        return scenes

    def _gallery(self, studio: Studio, scenes: Sequence[Scene]) -> Gallery:
        images = [studio.render(scene, self.rng, restyle=0) for scene in scenes]
        return Gallery(self.loaded.pictures(images), scenes)

    def run(self) -> dict[str, Measured]:
        """All figures by name, in the order of the bench's table."""
        figures = self.natural()
        figures |= self.parts()
        figures["image_recall@1"] = self.images()
        figures["unseen_style_recall@1"] = self.unseen_style()
        figures |= self.unseen_wording()
        figures["absent_auc"] = self.absent()
        figures |= self.languages()
        figures["count_recall@1"] = self.counts()
        figures["colour_recall@1"] = self.colours()
        figures["two_subject_recall@1"] = self.two_subjects()
        return figures

    def ask_pair(self, subject: int, place: str, language: str, rng: Random) -> str:
        """A question with the usual name and a usual sentence form."""
        noun = self.subjects[subject].words[language][0]
        phrase, word = place_terms([place], language, rng)
        form = pick(rng, FORMS[language]["both"])
        with_article = article(noun) if language == "en" else noun
        return form.format(s=noun, a=with_article, p=phrase, w=word)

    @property
    def rights(self) -> list[Right]:
        return [shows(subject, place) for subject, place in self.pairs]

    def _pairs_in(self, language: str) -> Floats:
        rng = np.random.default_rng([SEED, LANGUAGES.index(language)])
        return self.loaded.texts([self.ask_pair(s, p, language, rng) for s, p in self.pairs])

    def natural(self) -> dict[str, Measured]:
        queries = self._pairs_in("en")
        return {f"recall@{k}": hit_share(self.gallery, queries, self.rights, k) for k in (1, 5)}

    def languages(self) -> dict[str, Measured]:
        return {
            f"recall@1 {code}": hit_share(self.gallery, self._pairs_in(code), self.rights, 1)
            for code in LANGUAGES
        }

    def parts(self) -> dict[str, Measured]:
        """Questions that name only the subject, or only the place."""
        there = sorted({scene.subjects[0] for scene in self.scenes})
        names = [self.subjects[n].words["en"][0] for n in there]
        asked = [(place, word) for place in PLACES[:-1] for word in PLACE_WORDS["en"][place]]
        by_name, by_place = self.loaded.texts(names), self.loaded.texts([w for _, w in asked])
        return {
            "subject_precision@1": precision(self.gallery, by_name, [shows(n) for n in there], 1),
            "place_precision@5": precision(
                self.gallery, by_place, [shows(None, place) for place, _ in asked], 5
            ),
        }

    def images(self) -> Measured:
        """Questions by another rendering of a scene: other backdrop, drawing, size, noise."""
        other = Studio(self.artwork, TRAINED_STYLES, SEED + 1, backdrops_a_place=12)
        rng = np.random.default_rng(SEED + 1)
        images = [other.render(Scene((s,), p), rng, restyle=0) for s, p in self.pairs]
        return hit_share(self.gallery, self.loaded.pictures(images), self.rights, 1)

    def unseen_style(self) -> Measured:
        studio = Studio(self.artwork, (UNSEEN_STYLE,), SEED + 2, backdrops_a_place=12)
        return hit_share(self._gallery(studio, self.scenes), self._pairs_in("en"), self.rights, 1)

    def unseen_wording(self) -> dict[str, Measured]:
        """Questions with a sentence form, or with a name, that no caption has."""
        rng = np.random.default_rng(SEED + 3)
        texts, synonym = [], []
        for subject, place in self.pairs:
            heldout = self.subjects[subject].heldout
            noun = pick(rng, heldout) if heldout else self.subjects[subject].words["en"][0]
            phrase = pick(rng, UNSEEN_PLACES[place])
            texts.append(pick(rng, UNSEEN_FORMS).format(s=noun, a=article(noun), p=phrase))
            synonym.append(bool(heldout))
        queries, rights = self.loaded.texts(texts), self.rights
        chosen = [n for n, is_one in enumerate(synonym) if is_one]
        return {
            "unseen_wording_recall@1": hit_share(self.gallery, queries, rights, 1),
            "unseen_name_recall@1": hit_share(
                self.gallery, queries[chosen], [rights[n] for n in chosen], 1
            ),
        }

    def absent(self) -> Measured:
        """How well the best score shows that a subject is absent: half of them are."""
        rng = np.random.default_rng(SEED + 4)
        gone = {int(n) for n in rng.permutation(len(self.subjects))[: len(self.subjects) // 2]}
        kept = [n for n, scene in enumerate(self.scenes) if scene.subjects[0] not in gone]
        half = Gallery(self.gallery.vectors[kept], [self.scenes[n] for n in kept])
        there = {scene.subjects[0] for scene in half.scenes}
        queries = self.loaded.texts([subject.words["en"][0] for subject in self.subjects])
        best = [half.best(query, 1)[1] for query in queries]
        present = [score for n, score in enumerate(best) if n in there]
        absent = [score for n, score in enumerate(best) if n in gone]
        return Measured(area_under_curve(present, absent), len(present) + len(absent))

    def counts(self) -> Measured:
        """'three dogs at night' among one, two, three and five dogs, and all the others."""
        chosen = self.pairs[:: max(1, len(self.pairs) // 60)]
        scenes = [Scene((s,), p, count) for s, p in chosen for count in (1, 2, 3, 5)]
        rng = np.random.default_rng(SEED + 5)
        texts, rights = [], []
        for scene in scenes:
            noun = self.subjects[scene.subjects[0]].words["en"][0]
            number = ("one", *NUMBER_WORDS["en"])[scene.count - 1]
            named = f"{number} {plural(noun)}" if scene.count > 1 else article(noun)
            texts.append(f"{named} {place_terms([scene.place], 'en', rng)[0]}")
            rights.append(same_as(scene))
        return hit_share(self._gallery(self.studio, scenes), self.loaded.texts(texts), rights, 1)

    def colours(self) -> Measured:
        chosen = self.pairs[:: max(1, len(self.pairs) // 50)]
        scenes = [Scene((s,), p, 1, colour) for s, p in chosen for colour in list(COLOURS)[::2]]
        rng = np.random.default_rng(SEED + 6)
        texts = [
            f"{scene.colour} {self.subjects[scene.subjects[0]].words['en'][0]} "
            f"{place_terms([scene.place], 'en', rng)[0]}"
            for scene in scenes
        ]
        rights = [same_as(scene) for scene in scenes]
        return hit_share(self._gallery(self.studio, scenes), self.loaded.texts(texts), rights, 1)

    def two_subjects(self) -> Measured:
        """'a cat and a drum at the beach' in a gallery where each is also with other subjects."""
        rng = np.random.default_rng(SEED + 7)
        scenes, texts = [], []
        for first, place in self.pairs[::2]:
            second = int(rng.integers(len(self.subjects)))
            if second != first:
                scenes.append(Scene((first, second), place))
        for scene in scenes:
            names = [article(self.subjects[n].words["en"][0]) for n in scene.subjects]
            phrase = place_terms([scene.place], "en", rng)[0]
            texts.append(f"{names[0]} {AND['en']} {names[1]} {phrase}")
        rights = [same_as(scene) for scene in scenes]
        return hit_share(self._gallery(self.studio, scenes), self.loaded.texts(texts), rights, 1)

    def random_ranking(self) -> dict[str, float]:
        """The figures of a random ranking, computed from the contents of the gallery."""
        pair = float(np.mean([sum(map(right, self.scenes)) for right in self.rights])) / self.size
        places = float(np.mean([sum(map(shows(None, p), self.scenes)) for p in PLACES[:-1]]))
        return {
            "recall@1": pair,
            "recall@5": 1 - (1 - pair) ** 5,
            "subject_precision@1": 1 / len(self.subjects),
            "place_precision@5": places / self.size,
            "absent_auc": 0.5,
        }


FIXED = Path("tests", "pocket", "fixed")
FIXED_COLUMNS, FIXED_ROWS = 20, 12


def write_fixed_set(evaluation: Evaluation, folder: Path = FIXED) -> None:
    """Write held-out pictures with a question each, for tests that have no artwork.

    scenes.webp has squares of FRAME pixels, row by row; scenes.json says what each shows.
    """
    step = len(evaluation.pairs) / (FIXED_COLUMNS * FIXED_ROWS)
    chosen = [evaluation.pairs[int(n * step)] for n in range(FIXED_COLUMNS * FIXED_ROWS)]
    rng = np.random.default_rng(SEED + 8)
    sheet = Image.new("RGB", (FIXED_COLUMNS * FRAME, FIXED_ROWS * FRAME))
    rows = []
    for n, (subject, place) in enumerate(chosen):
        picture = evaluation.studio.render(Scene((subject,), place), rng, restyle=0)
        sheet.paste(picture, (n % FIXED_COLUMNS * FRAME, n // FIXED_COLUMNS * FRAME))
        names = evaluation.subjects[subject]
        asked = {code: evaluation.ask_pair(subject, place, code, rng) for code in LANGUAGES}
        rows.append({"subject": names.name, "place": place, "asked": asked})
    folder.mkdir(parents=True, exist_ok=True)
    sheet.save(folder / "scenes.webp", quality=88, method=6)
    (folder / "scenes.json").write_text(
        json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )


def same_as(asked: Scene) -> Right:
    """Whether a scene has the same subjects, place, count and colour."""

    def right(scene: Scene) -> bool:
        return (
            set(scene.subjects) == set(asked.subjects)
            and scene.place == asked.place
            and scene.count == asked.count
            and scene.colour == asked.colour
        )

    return right
