"""Which hits fold into which."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from demo import FOLDER
from index.copies.fingerprint import Fingerprint, fingerprint
from index.copies.folding import fold

DRAWINGS = sorted((FOLDER / "pictures").iterdir())


def drawing(number: int) -> Image.Image:
    with Image.open(DRAWINGS[number]) as image:
        return image.convert("RGB")


def of(image: Image.Image) -> Fingerprint:
    return fingerprint([image], image.size)


def unlike(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.eye(count, dtype=np.float32)


def test_a_hit_folds_into_the_first_copy_before_it_that_stays() -> None:
    one, other = drawing(0), drawing(3)
    images = {5: one, 2: other, 9: ImageOps.mirror(one), 4: one.resize((200, 150)), 7: drawing(6)}
    known = {id: of(image) for id, image in images.items() if id != 7}
    assert fold(list(images), known, unlike(5)) == [(5, [9, 4]), (2, []), (7, [])]
    said = {frozenset((5, 9))}
    assert fold(list(images), known, unlike(5), said) == [(5, [4]), (2, []), (9, []), (7, [])]


def test_two_parts_of_one_picture_do_not_fold_by_way_of_it() -> None:
    """Each is a copy of the whole, and they are none of each other."""
    left, right = drawing(0), drawing(3)
    both = Image.new("RGB", (left.width * 2, left.height))
    both.paste(left, (0, 0))
    both.paste(right.resize(left.size), (left.width, 0))
    known = {1: of(left), 2: of(both), 3: of(right.resize(left.size))}
    similar = np.ones((3, 4), np.float32) / 2
    assert fold([1, 2, 3], known, similar) == [(1, [2]), (3, [])]
    assert fold([2, 1, 3], known, similar) == [(2, [1, 3])]
    assert fold([1, 3], known, similar[:2]) == [(1, []), (3, [])]
