"""Odd and damaged pictures are read, or refused in our own words."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ORIENTATION = "tests/index/images/test_orientation.py"
PNG = "tests/index/images/test_png.py"
ZOO = "tests/index/images/test_zoo.py"

MUTANTS = (
    Mutant(
        "a TIFF is turned once",
        "index/images/orientation.py",
        'UPRIGHT_WHEN_LOADED = frozenset({"TIFF"})',
        "UPRIGHT_WHEN_LOADED: frozenset[str] = frozenset()",
        (ORIENTATION,),
    ),
    Mutant(
        "XMP turns nothing",
        "index/images/decode.py",
        'image.info.pop("xmp", None)',
        "pass",
        (ORIENTATION,),
    ),
    Mutant(
        "text beside a PNG's pixels spoils nothing",
        "index/images/decode.py",
        "return png.without_side_chunks(data)",
        "return data",
        (PNG,),
    ),
    Mutant(
        "damaged Exif of a PNG turns nothing",
        "index/images/png.py",
        "exif = [chunk.whole] if chunk.sound else exif",
        "exif = [chunk.whole]",
        (PNG,),
    ),
    Mutant(
        "a damaged animation is a still picture",
        "index/images/png.py",
        "        if not chunk.sound or len(chunk.body) < _ANIMATION[chunk.name]:",
        "        if False:",
        (PNG,),
    ),
    Mutant(
        "damaged segments of a JPEG spoil nothing",
        "index/images/decode.py",
        "return jpeg.without_side_segments(data)",
        "return data",
        (ZOO,),
    ),
    Mutant(
        "damaged Exif of an AVIF spoils nothing",
        "index/images/avif.py",
        'data[kind : kind + 4] = b"skip"',
        "pass",
        (ZOO,),
    ),
    Mutant(
        "an AVIF of an old encoder is read",
        "index/images/avif.py",
        "data[at.start : at.stop] = data[other.start : other.stop]",
        "pass",
        (ZOO,),
    ),
    Mutant(
        "a grey TIFF with white first isn't inverted",
        "index/images/colour.py",
        "return 255 - grey if white_first else grey",
        "return grey",
        (ZOO,),
    ),
    Mutant(
        "one transparent grey of 16 bits is transparent",
        "index/images/colour.py",
        'return Image.merge("LA", (grey, alpha))',
        "return grey",
        (ZOO,),
    ),
    Mutant(
        "a BMP with an empty alpha is seen",
        "index/images/colour.py",
        "return format in _ALPHA_UNUSED or any(",
        "return any(",
        (ZOO,),
    ),
    Mutant(
        "a refusal never has a library's words",
        "index/images/refusals.py",
        "    return PIXELS if opened else HEADER",
        "    return str(failed)",
        (ZOO,),
    ),
    Mutant(
        "a picture that is only unsupported isn't called damaged",
        "index/images/refusals.py",
        "if (stored := unsupported(data, opened)) is not None:",
        "if (stored := unsupported(data, opened)) is not None and not data:",
        (ZOO,),
    ),
    Mutant(
        "too large an AVIF is called too large",
        "index/images/refusals.py",
        "if width * height > most_pixels:",
        "if width * height > 2**62:",
        (ZOO,),
    ),
    Mutant(
        "millions of megapixels are written as people do",
        "index/types/errors.py",
        '        return "more than a million megapixels"\n',
        '        return f"{count / 1_000_000:.3g} megapixels"\n',
        ("tests/index/images/test_decode.py",),
    ),
)
