"""The published models that are worth choosing: what they cost, know and find.

`magpie models` and the table of `docs/models.md` are both made from MODELS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from index.types.errors import format_bytes

if TYPE_CHECKING:
    from index.types.records import Languages

DEFAULT = "openai/clip-vit-base-patch32"
RECOMMENDED = "google/siglip2-base-patch32-256"

# Where recall was published. `immich`: text to picture on Crossmodal-3600, the mean of recall at 1,
# 5 and 10, in percent.
SOURCES = {
    "immich": "https://github.com/immich-app/immich/blob/main/docs/docs/features/searching.md",
    "tips": "https://github.com/google-deepmind/tips",
    "metaclip2": "https://arxiv.org/abs/2507.22062",
}
Source = Literal["immich", "tips", "metaclip2"]


@dataclass(frozen=True, slots=True)
class Published:
    """One model.

    parameters     of both sides together; its file has four bytes for each
    memory_mb      what the loaded model takes of its own, as `bench models` measured it
    images_per_s   pictures a second in one thread of a processor, likewise; text_ms of a question
    english, german, japanese   recall, in percent; None: none was published that could be verified
    source         of the recall, or of what `says` quotes
    """

    name: str
    parameters: int
    memory_mb: int
    images_per_s: float
    text_ms: float
    languages: Languages
    licence: str
    says: str
    english: float | None = None
    german: float | None = None
    japanese: float | None = None
    source: Source | None = None

    @property
    def download_bytes(self) -> int:
        """The size of its weights. Its vocabulary is up to 40 MB more."""
        return 4 * self.parameters


MODELS = (
    Published(
        DEFAULT, 151_277_313, 307, 24.03, 7.7,
        "english", "MIT",
        "the default: the smallest download, and fast, for questions in English",
        59.37, None, None, "immich",
    ),
    Published(
        RECOMMENDED, 376_856_066, 430, 17.27, 63.6,
        "many", "Apache 2.0",
        "what most servers should take: it finds more in English, and reads many languages",
        73.15, 84.44, 55.31, "immich",
    ),
    Published(
        "google/siglip2-base-patch16-224", 375_187_970, 467, 4.9, 65.4,
        "many", "Apache 2.0",
        "finds a little more still, for several times the work with each picture",
        75.19, 86.44, 58.1, "immich",
    ),
    Published(
        "google/siglip-base-patch16-224", 203_155_970, 467, 5.01, 63.8,
        "english", "Apache 2.0",
        "for English: with its small vocabulary, half the download of SigLIP 2",
        71.64, 75.19, None, "immich",
    ),
    Published(
        "google/siglip-base-patch16-256-multilingual", 370_626_050, 485, 3.58, 66.3,
        "many", "Apache 2.0",
        "the SigLIP before SigLIP 2; of these the best in Japanese",
        69.38, 83.33, 61.48, "immich",
    ),
    Published(
        "openai/clip-vit-large-patch14", 427_616_513, 974, 1.2, 13.0,
        "english", "MIT",
        "finds hardly more than the default; only for who has vectors of it already",
        60.12, 27.63, None, "immich",
    ),
    Published(
        "facebook/metaclip-2-mt5-worldwide-b32", 253_980_417, 335, 23.34, 7.9,
        "many", "CC BY-NC 4.0",
        "as fast as the default, in many languages; not for commercial use",
        source="metaclip2",
    ),
    Published(
        "facebook/metaclip-2-worldwide-s16", 389_510_401, 155, 18.56, 5.8,
        "many", "CC BY-NC 4.0",
        "a small image side with a vocabulary of 300 languages; not for commercial use",
        source="metaclip2",
    ),
    Published(
        "facebook/metaclip-2-worldwide-b32", 587_614_465, 334, 23.26, 7.8,
        "many", "CC BY-NC 4.0",
        "300 languages, for a larger download; not for commercial use",
        source="metaclip2",
    ),
    Published(
        "google/tipsv2-b14", 195_948_289, 598, 0.71, 13.7,
        "english", "CC BY 4.0",
        "looks at 448 pixels, so it sees small things; slow without a GPU",
        source="tips",
    ),
)  # fmt: skip

HEADINGS = (
    *("model", "download", "memory", "pictures/s", "question ms"),
    *("English", "German", "Japanese", "languages", "licence"),
)


def cells(model: Published) -> tuple[str, ...]:
    """What a table says of a model, under HEADINGS."""
    return (
        model.name,
        format_bytes(model.download_bytes),
        format_bytes(model.memory_mb * 1_000_000),
        f"{model.images_per_s:.2g}",
        f"{model.text_ms:.2g}",
        *("–" if one is None else f"{one:.0f}" for one in (model.english, model.german)),
        "–" if model.japanese is None else f"{model.japanese:.0f}",
        model.languages,
        model.licence,
    )
