"""The models that read words: first a glance whether there are any, then where, then which.

Needs the extra `ocr`, and is imported by the OCR process only.

The detector finds lines of text in a picture of any size, and its time grows with the pixels. In a
small copy it still sees that there is text, if not where each line is. So a glance at a small copy
comes first, and most photographs need no more. `python -m bench ocr` measures both.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR
from rapidocr.main import RapidOCRError

from index.ocr.installed import Models
from index.ocr.order import Words, lines, worth_keeping

Pixels: TypeAlias = NDArray[np.uint8]  # (h, w, 3), blue first, as these models were trained
# (lines, columns, letters): how probable each letter is in a column of a line
Chances: TypeAlias = NDArray[np.float32]
NO_LETTER = 0  # its number among them
Heat: TypeAlias = NDArray[np.float32]  # (h, w) of 0 to 1: how much of a letter is here

# Pixels of the longer edge of the copy for a glance. With 480, one small line in ten is missed.
GLANCE_EDGE = 512
# A spot is text if the detector is as sure of one of its pixels as this, and of all as that.
SURE, SPOT = 0.8, 0.3
# A spot whose short side is longer than this share of the picture's edge (the root of its pixels)
# is no line of text. The detector takes large round things for letters: three oranges for "000". A
# spot is the inner part of a line; a box is all of it.
LARGEST_SPOT, LARGEST_BOX = 0.25, 0.45
# Pixels of the longer edge at which lines are looked for. With more, large letters that are askew
# run into each other; with less, small ones are missed. A long strip is looked at with a longer
# edge, until it has as many pixels as a picture of 4 : 3.
EDGE, EDGE_OF_LARGE = 736, 960
# A picture with an edge longer than this is large: mostly a screenshot, or a photograph of a page.
LARGE = 1200
# Pixels of the longer edge that are kept to read letters: of a strip, what it has more is noise.
LONGEST = 4000
# A banner is wider than this many times its height; space above and below is put around it.
BANNER = 8
MIN_HEIGHT = 32
# Of a line, how many times its height it may be long. The memory grows with the square of that; no
# screen is so wide.
LONGEST_LINE = 200
# Lines that are read of a picture. A page of a book has 50, a screen full of code 80.
MAX_LINES = 200
# Least mean probability of a line's letters.
LEGIBLE = 0.75
# Probability of a blank from which on one is read where no letter is. Narrow blanks between thick
# letters, as memes have them, are seldom the likeliest. With less, code gets blanks that it hasn't.
FAINT_BLANK = 0.1


class Engine:
    """The models, loaded and used once, so that they need no file and no thread any more."""

    def __init__(self, models: Models) -> None:
        cv2.setNumThreads(0)
        self._ocr: Any = RapidOCR(  # without types
            params={
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Global.log_level": "critical",
                "Det.limit_type": "max",
                # Lines that are read together are all made as wide as the widest of them, and take
                # up to six times the memory and twice the time.
                "Rec.rec_batch_num": 1,
                "Det.model_path": str(models.detection),
                "Cls.model_path": str(models.direction),
                "Rec.model_path": str(models.recognition),
            }
        )
        if not any("Magpie" in line for line in self.lines(_warm_up())):
            raise RuntimeError("the models can't read their first picture")
        reader: Any = self._ocr.text_rec
        reader.postprocess_op = partial(_spelled, reader.postprocess_op)

    def lines(self, picture: Image.Image) -> list[str]:
        """The lines of words in an RGB picture, from top to bottom; none: it has no text."""
        pixels: Pixels = np.asarray(picture)[:, :, ::-1]
        if max(picture.size) > GLANCE_EDGE and not self.has_text(pixels):
            return []
        return self.read(pixels)

    def has_text(self, pixels: Pixels) -> bool:
        """Whether there seems to be text, at a glance."""
        height, width = pixels.shape[:2]
        scale = GLANCE_EDGE / max(height, width)
        # In blocks of 32 pixels, as the detector takes it, or it would be made smaller twice.
        size = [32 * max(1, round(edge * scale / 32)) for edge in (width, height)]
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        detector = self._detector(GLANCE_EDGE)
        heat: Heat = detector.session(detector.get_preprocess()(small))[0, 0]
        spots, _ = cv2.findContours(
            (heat > SPOT).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        return any(_is_text(spot, heat) for spot in spots)

    def _detector(self, edge: int) -> Any:
        """The detector, for pictures that are made smaller until no edge is longer than this."""
        if self._ocr.text_det is None:
            self._ocr(np.full((64, 64, 3), 255, np.uint8))  # loads it
        self._ocr.text_det.limit_side_len = edge
        return self._ocr.text_det

    def read(self, pixels: Pixels) -> list[str]:
        """The lines of words, looked for without a glance before."""
        pixels = _fitting(pixels)
        self._detector(_edge(*pixels.shape[:2]))
        try:
            crops, found = self._ocr.detect_and_crop(pixels, {})
        except RapidOCRError:  # no text
            return []
        largest = LARGEST_BOX * math.sqrt(pixels.shape[0] * pixels.shape[1])
        places = [place for place, crop in enumerate(crops) if _is_line(crop, largest)]
        places = places[:MAX_LINES]
        if not places:
            return []
        crops = [crops[place] for place in places]
        on_its_head = self._on_its_head(crops)
        if on_its_head:
            crops = [np.rot90(crop, 2) for crop in crops]
        read = self._ocr.recognize_txt(crops)
        words = [
            Words(text.strip(), found.boxes[place].tolist())
            for place, text, score in zip(places, read.txts, read.scores, strict=True)
            if score >= LEGIBLE
        ]
        return [line for line in lines(words, on_its_head) if worth_keeping(line)]

    def _on_its_head(self, crops: list[Pixels]) -> bool:
        """Whether the picture is upside down, by all of its lines: one alone is often misjudged."""
        _, directions = self._ocr.cls_and_rotate(crops)
        doubts = [score if label == "180" else 1 - score for label, score in directions.cls_res]
        return bool(sum(doubts) > len(doubts) / 2)


def _spelled(spell: Any, letters: Chances, *args: Any, **more: Any) -> Any:
    """The lines that the library's decoder spells, with faint blanks."""
    blank = spell.dict[" "]
    faint = (letters.argmax(axis=2) == NO_LETTER) & (letters[:, :, blank] >= FAINT_BLANK)
    letters[faint, blank] = 1.0
    return spell(letters, *args, **more)


def _is_text(spot: Any, heat: Heat) -> bool:
    _, size, _ = cv2.minAreaRect(spot)
    if min(size) > LARGEST_SPOT * math.sqrt(heat.size):
        return False
    left, top, width, height = cv2.boundingRect(spot)
    return bool(heat[top : top + height, left : left + width].max() >= SURE)


def _is_line(crop: Pixels, largest: float) -> bool:
    short, long = sorted(crop.shape[:2])
    return bool(short <= largest and long <= LONGEST_LINE * short)


def _fitting(pixels: Pixels) -> Pixels:
    """The picture with bounded edges, and no flatter than the detector can take. The library would
    put so much space around a flat strip that it takes gigabytes."""
    scale = min(1.0, LONGEST / max(pixels.shape[:2]))
    height, width = (max(1, round(edge * scale)) for edge in pixels.shape[:2])
    if scale < 1:
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    above = max(0, max(-(-width // BANNER), MIN_HEIGHT) - height + 1) // 2
    return np.asarray(cv2.copyMakeBorder(pixels, above, above, 0, 0, cv2.BORDER_REPLICATE))


def _edge(height: int, width: int) -> int:
    """Pixels of the longer edge at which the detector looks at a picture."""
    longer = max(height, width)
    edge = EDGE_OF_LARGE if longer > LARGE else EDGE
    by_pixels = math.sqrt(edge * edge * 3 / 4 / (height * width))
    return round(longer * min(1.0, max(edge / longer, by_pixels)))


def _warm_up() -> Image.Image:
    """A picture with a word in it, in the font that comes with Pillow."""
    picture = Image.new("RGB", (320, 120), "white")
    font = ImageFont.load_default(48)
    ImageDraw.Draw(picture).text((40, 30), "Magpie", "black", font)
    return picture
