"""Pictures with words in them, in the font that comes with Pillow."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont


def poster(*lines: str, turn: int = 0) -> bytes:
    """A PNG with these lines, in the font that comes with Pillow."""
    image = Image.new("RGB", (900, 120 * len(lines) + 60), "#f4e8d0")
    draw = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        draw.text((50, 50 + 120 * place), line, "#203040", ImageFont.load_default(64))
    out = io.BytesIO()
    image.rotate(turn, expand=True).save(out, "PNG")
    return out.getvalue()
