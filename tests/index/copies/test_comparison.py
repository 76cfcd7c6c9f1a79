"""Whether two pictures are copies, on photographs and drawings."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bench.edits import EDITS, screenshot
from demo import FOLDER
from index.copies.comparison import Relation, compare
from index.copies.fingerprint import Fingerprint, fingerprint

DRAWINGS = sorted((FOLDER / "pictures").iterdir())


def of(image: Image.Image) -> Fingerprint:
    """Its fingerprint, as it comes back from the store."""
    made = fingerprint([image.convert("RGB")], image.size)
    return Fingerprint.from_bytes(made.to_bytes())


def opened(data: bytes | Path) -> Image.Image:
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
        return image.convert("RGB")


@pytest.fixture(scope="session")
def pictures(photographs: dict[str, bytes]) -> dict[str, Image.Image]:
    """A photograph and a drawing."""
    return {
        "chelsea.png": opened(photographs["chelsea.png"]),
        DRAWINGS[0].name: opened(DRAWINGS[0]),
    }


TOLD = {
    "crop": {"cropped"},
    "grey": {"grey"},
    "mirror": {"mirrored"},
    "turn": {"turned"},
    **{edit: {"framed"} for edit in ("border", "caption", "screenshot")},
}


def test_edited_pictures_are_copies_and_the_edits_are_told(
    pictures: dict[str, Image.Image],
) -> None:
    for name, picture in pictures.items():
        original, random = of(picture), np.random.default_rng(1)
        for edit, (*_, last) in EDITS.items():
            copy = of(last(picture, random))
            relation = compare(original, copy)
            assert relation is not None, (name, edit)
            assert relation.kind == "copy"
            assert set(relation.edits) == TOLD.get(edit, set()), (name, edit)
            assert compare(copy, original) is not None, (name, edit)


def test_the_same_pixels_in_another_file_are_exactly_the_same() -> None:
    picture = opened(DRAWINGS[0])
    assert compare(of(picture), of(picture.copy())) == Relation("exact")


def test_other_pictures_are_no_copies_nor_are_they_in_the_same_app(
    pictures: dict[str, Image.Image],
) -> None:
    others = {path.name: opened(path) for path in DRAWINGS[:30]} | pictures
    app = screenshot(dark=False)
    for show in (lambda image: image, lambda image: app(image, np.random.default_rng(7))):
        made = {name: of(show(picture)) for name, picture in others.items()}
        wrong = [
            (one, other)
            for one, other in itertools.combinations(made, 2)
            if compare(made[one], made[other]) is not None
        ]
        assert wrong == []


def test_a_sprite_in_two_scenes_makes_no_copies() -> None:
    """Its keypoints all match, and nothing else of the pictures does."""
    sprite = opened(DRAWINGS[3]).crop((100, 100, 260, 260))
    scenes = []
    for path in DRAWINGS[10:16]:
        scene = opened(path)
        scene.paste(sprite, (20, 20))
        scenes.append(of(scene))
    for one, other in itertools.combinations(scenes, 2):
        assert compare(one, other) is None


@pytest.mark.parametrize("subject", ["dog", "motorcycle", "penguin"])
def test_other_scenes_of_a_subject_are_no_copies(subject: str) -> None:
    labels = json.loads((FOLDER / "labels.json").read_text("utf-8"))
    shown = [name for name, label in labels.items() if subject in label["subjects"]]
    scenes = [of(opened(FOLDER / name)) for name in shown]
    assert len(scenes) >= 2
    for one, other in itertools.combinations(scenes, 2):
        assert one.pixels == other.pixels or compare(one, other) is None


def test_pictures_that_show_nothing_are_no_copies_of_each_other() -> None:
    one, other = Image.new("RGB", (300, 200), (9, 9, 9)), Image.new("RGB", (300, 200), (250, 9, 9))
    assert compare(of(one), of(other)) is None
    line = one.copy()
    ImageDraw.Draw(line).line((0, 0, 300, 200), (255, 255, 255))
    assert compare(of(one), of(line)) is None


def test_a_fingerprint_is_small_and_survives_odd_shapes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 900, 3), np.uint8)
    assert len(of(Image.fromarray(noise)).to_bytes()) < 4000
    for size in ((1, 1), (1, 4000), (4000, 1), (7, 3)):
        assert len(of(Image.new("RGB", size, (1, 2, 3))).thumbnail) >= 8


def test_an_animation_is_known_by_its_first_frame_that_shows_something() -> None:
    picture = opened(DRAWINGS[5])
    black = Image.new("RGB", picture.size)
    animation = fingerprint([black, picture], picture.size)
    assert compare(of(picture), animation) is not None
