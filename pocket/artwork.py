"""The drawings that scenes are made of, and their names in eight languages.

The sources are four npm packages in `build/artwork/node_modules`: three icon sets, each a JSON file
of SVG bodies, and emojibase-data, which has names and keywords.
"""

import hashlib
import io
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

HERE = Path(__file__).parent
FOLDER = Path("build", "artwork")  # below the current directory
LANGUAGES = ("en", "de", "fr", "es", "pt", "ru", "ja", "zh")
TRAINED_STYLES = ("twemoji", "noto")
UNSEEN_STYLE = "fluent-emoji-flat"
STYLES = (*TRAINED_STYLES, UNSEEN_STYLE)
PACKAGES = (*(f"@iconify-json/{style}" for style in STYLES), "emojibase-data")
SPRITE_SIDE = 96  # pixels of a training sprite's longer side

# Subgroups of emojibase that have a name of their own: "an animal", "ein Tier"
KIND_OF_SUBGROUP = {
    "animal-mammal": "animal",
    "animal-reptile": "animal",
    "animal-amphibian": "animal",
    "animal-bird": "bird",
    "animal-bug": "insect",
    "plant-flower": "flower",
    "food-fruit": "fruit",
    "food-vegetable": "vegetable",
    "food-sweet": "dessert",
    "drink": "drink",
    "transport-ground": "vehicle",
    "transport-air": "aircraft",
    "musical-instrument": "instrument",
    "clothing": "clothes",
    "tool": "tool",
}
KINDS = tuple(dict.fromkeys(KIND_OF_SUBGROUP.values()))


class ArtworkError(Exception):
    """The artwork is missing or incomplete; the message says which part, and what to do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that a picture can show.

    words      language -> its names, the usual one first
    heldout    English words that are never used in training
    """

    name: str
    emoji: tuple[str, ...]
    kind: str | None
    words: dict[str, tuple[str, ...]]
    heldout: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sprite:
    """One drawing, cropped to its bounding box. pixels (h, w, 4) uint8, straight alpha."""

    subject: int
    style: str
    emoji: str
    pixels: Pixels


def install(folder: Path = FOLDER) -> None:
    """Download the packages with npm into `folder`, unless they are there."""
    if all((folder / "node_modules" / name / "package.json").exists() for name in PACKAGES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
    try:
        subprocess.run(
            [*npm, "--prefix", str(folder), *PACKAGES], check=True, capture_output=True, text=True
        )
    except FileNotFoundError as exc:
        raise ArtworkError(
            "The artwork comes from npm packages, and there is no npm here. Install Node.js; "
            "the finished model in pocket/model needs none of this."
        ) from exc
    except subprocess.CalledProcessError as exc:
        last = (exc.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ArtworkError(f"npm could not fetch the artwork packages: {last}") from exc


def read_json(folder: Path, package: str, file: str) -> Any:
    """The parsed file of a package. raises ArtworkError when it is missing or cut off"""
    path = folder / "node_modules" / package / file
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise ArtworkError(
            f"The artwork package {package} has no {file}. Delete {folder} and run the command "
            "again to fetch it anew."
        ) from exc
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise ArtworkError(
            f"The artwork package {package} is damaged: {file} is not whole JSON "
            f"(a download that broke off?). Delete {folder} and run the command again."
        ) from exc


def code_points(emoji: str) -> str:
    """'1f408-200d-2b1b' for a black cat: the key of chars.json, variation selectors dropped."""
    return "-".join(f"{ord(c):x}" for c in emoji if ord(c) != 0xFE0F)


def split_emoji(text: str) -> tuple[str, ...]:
    """'🐕🐶' -> ('🐕', '🐶'); joined sequences and skin tones are not split."""
    whole = r"(?:.\uFE0F?[\U0001F3FB-\U0001F3FF]?)(?:\u200D.\uFE0F?)*"
    return tuple(re.findall(whole, text.strip()))


def read_subject_lines(path: Path = HERE / "subjects.txt") -> Iterator[list[str]]:
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield [part.strip() for part in (line + " | | |").split("|")[:4]]


def comma_list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


class Artwork:
    """Subjects and their drawings, read from the packages in `folder`.

    raises ArtworkError when a package is missing, broken, or lacks a subject
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    @cached_property
    def subjects(self) -> list[Subject]:
        lines = list(read_subject_lines())
        firsts = [code_points(split_emoji(emoji)[0]) for _, emoji, _, _ in lines]
        names = {code: self._names(code, set(firsts)) for code in LANGUAGES}
        return [
            self._subject(line, first, names) for line, first in zip(lines, firsts, strict=True)
        ]

    def _subject(
        self, line: list[str], code: str, names: dict[str, dict[str, tuple[str, ...]]]
    ) -> Subject:
        name, emoji, extra, heldout = line
        unseen = comma_list(heldout)
        words = {language: names[language].get(code, ()) for language in LANGUAGES}
        words["en"] = tuple(dict.fromkeys((name, *comma_list(extra))))
        for language, first in zip(LANGUAGES[1:], self._said.get(name, ()), strict=False):
            words[language] = tuple(dict.fromkeys((*comma_list(first), *words[language])))
        words = {language: own or (name,) for language, own in words.items()}
        return Subject(name, split_emoji(emoji), self._kinds.get(code), words, unseen)

    @cached_property
    def _said(self) -> dict[str, list[str]]:
        """names.txt: subject -> its names in the other languages, in their order."""
        rows = (HERE / "names.txt").read_text("utf-8").splitlines()
        cells = [row.split(" | ") for row in rows if not row.startswith("#")]
        return {name: words for name, *words in cells}

    @cached_property
    def _kinds(self) -> dict[str, str]:
        numbers = read_json(self.folder, "emojibase-data", "meta/groups.json")["subgroups"]
        entries = read_json(self.folder, "emojibase-data", "en/data.json")
        kinds = {}
        for entry in entries:
            kind = KIND_OF_SUBGROUP.get(numbers.get(str(entry.get("subgroup")), ""))
            if kind:
                kinds[code_points(entry["emoji"])] = kind
        return kinds

    def _names(self, language: str, wanted: set[str]) -> dict[str, tuple[str, ...]]:
        """code points -> label, then the keywords that no other subject shares."""
        entries = [
            entry
            for entry in read_json(self.folder, "emojibase-data", f"{language}/data.json")
            if code_points(entry["emoji"]) in wanted
        ]
        shared = Counter(tag for entry in entries for tag in set(entry.get("tags", ())))
        return {
            code_points(entry["emoji"]): tuple(
                dict.fromkeys(
                    tidy(word)
                    for word in (
                        entry["label"],
                        *(tag for tag in entry.get("tags", ()) if shared[tag] == 1),
                    )
                )
            )
            for entry in entries
        }

    def svg(self, style: str, emoji: str) -> str | None:
        """The complete SVG document of a drawing, or None when the set has none."""
        icons, names = self._icons(style)
        name = names.get(code_points(emoji))
        if name is None:
            return None
        alias = icons.get("aliases", {}).get(name)
        icon = icons["icons"].get(alias["parent"] if alias else name)
        if icon is None:
            return None
        width = icon.get("width", icons.get("width", 16))
        height = icon.get("height", icons.get("height", 16))
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">{icon["body"]}</svg>'
        )

    def _icons(self, style: str) -> tuple[dict[str, Any], dict[str, str]]:
        if style not in self._icon_cache:
            package = f"@iconify-json/{style}"
            icons = read_json(self.folder, package, "icons.json")
            chars = read_json(self.folder, package, "chars.json")
            if not isinstance(icons, dict) or not icons.get("icons"):
                raise ArtworkError(f"The artwork package {package} holds no icons.")
            plain = {"-".join(p for p in c.split("-") if p != "fe0f"): n for c, n in chars.items()}
            self._icon_cache[style] = icons, plain
        return self._icon_cache[style]

    @cached_property
    def _icon_cache(self) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
        return {}

    def draw(self, style: str, emoji: str, side: int) -> Pixels | None:
        """The cropped drawing, its longer side `side` pixels: (h, w, 4) uint8; or None."""
        svg = self.svg(style, emoji)
        return None if svg is None else rasterise(svg, side)

    def sprites(self, styles: tuple[str, ...], side: int = SPRITE_SIDE) -> list[Sprite]:
        """All drawings of all subjects; they are cached in a file of `folder`."""
        return [sprite for style in styles for sprite in self._sprites(style, side)]

    def _sprites(self, style: str, side: int) -> list[Sprite]:
        version = read_json(self.folder, f"@iconify-json/{style}", "package.json")["version"]
        listed = [(s, emoji) for s, subject in enumerate(self.subjects) for emoji in subject.emoji]
        stamp = hashlib.sha256(repr((version, listed, side)).encode()).hexdigest()[:16]
        path = self.folder / f"{style}-{stamp}.npz"
        if not path.exists():
            drawn = {
                f"{s}/{emoji}": pixels
                for s, emoji in listed
                if (pixels := self.draw(style, emoji, side)) is not None
            }
            whole = path.with_suffix(".part.npz")
            np.savez_compressed(whole, **drawn)  # type: ignore[arg-type]  # numpy's stub
            whole.rename(path)
        with np.load(path) as file:
            return [
                Sprite(int(key.split("/")[0]), style, key.split("/")[1], file[key])
                for key in file.files
            ]


def rasterise(svg: str, side: int) -> Pixels:
    """The drawing of an SVG, cropped to its visible part; its longer side has `side` pixels."""
    import resvg_py  # an optional dependency, which only training needs

    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * side, height=2 * side))
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    box = image.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox()
    if box:
        image = image.crop(box)
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(resize_alpha(image, size))


def resize_alpha(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image resized with premultiplied alpha, so that the edges get no dark or light fringe."""
    return image.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")


def tidy(word: str) -> str:
    """'Radfahrer(in)' -> 'Radfahrer', as a person would type it."""
    word = re.sub(r"\(.*?\)|（.*?）", "", word)
    return re.sub(r"\s+", " ", word.split(":")[0]).strip().lower()
