"""Odd and damaged pictures are read, or refused in our own words."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ORIENTATION = "tests/index/images/test_orientation.py"
PNG = "tests/index/images/test_png.py"
ZOO = "tests/index/images/test_zoo.py"
PROFILES = "tests/index/images/test_profiles.py"
DEPTH = "tests/index/images/test_depth.py"
PARTIAL = "tests/index/images/test_partial.py"

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
        "return data, False",
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
        "an animation ends before its first damage",
        "index/images/png.py",
        "        if not chunk.sound or len(chunk.body) < _ANIMATION[chunk.name]:",
        "        if False:",
        (PNG,),
    ),
    Mutant(
        "damaged segments of a JPEG spoil nothing",
        "index/images/decode.py",
        "return jpeg.without_side_segments(data), False",
        "return data, False",
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
        "a BMP or TGA of one colour with an empty alpha is seen",
        "index/images/colour.py",
        "return format in _ALPHA_UNUSED or image.convert(",
        "return image.convert(",
        (DEPTH,),
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
        "a colour profile is applied",
        "index/images/profiles.py",
        "    if not data or len(data) > MAX_BYTES:",
        "    if True:",
        (PROFILES,),
    ),
    Mutant(
        "the colours that a HEIC or AVIF states by numbers are applied",
        "index/images/decode.py",
        "return stated.by_code_points(*numbers) if numbers is not None else None",
        "return None",
        ("tests/index/images/test_profiles.py",),
    ),
    Mutant(
        "a PNG's mark of sRGB counts more than its gamma",
        "index/images/png.py",
        'return None if b"sRGB" in bodies else _of_gamma(bodies)',
        "return _of_gamma(bodies)",
        ("tests/index/images/test_profiles.py",),
    ),
    Mutant(
        "the frames of an animation are all looked at, if there is time",
        "index/images/decode.py",
        "if number and time.process_time() - started > limits.time_s / 3:",
        "if number > 3:",
        ("tests/index/images/test_decode.py",),
    ),
    Mutant(
        "a picture of light itself gets its colours before it is made small",
        "index/images/profiles.py",
        "return bool(np.abs(np.asarray(managed, np.int16) - 128).max() <= SAME_CURVE)",
        "return True",
        (PROFILES,),
    ),
    Mutant(
        "a profile of other colours is left out",
        "index/images/profiles.py",
        "return found if found is not None and found.mode == _base(image.mode) else None",
        "return found",
        (PROFILES,),
    ),
    Mutant(
        "grey of a small range isn't black",
        "index/images/colour.py",
        "    return 0.0, next((full for full in WHOLE_RANGES if high <= full), high)",
        "    return 0.0, max(high, WHOLE_RANGES[-1])",
        (DEPTH,),
    ),
    Mutant(
        "a dark picture of a stated range stays dark",
        "index/images/colour.py",
        "    if stated is not None and high <= stated:",
        "    if False:",
        (DEPTH,),
    ),
    Mutant(
        "what an alpha of 0 hides is seen",
        "index/images/colour.py",
        "        if not _hides_a_picture(clear, image.format):",
        "        if True:",
        (DEPTH,),
    ),
    Mutant(
        "half a picture is refused",
        "index/images/partial.py",
        "    if missing.mean() > 1 - LEAST_SHARE:",
        "    if False:",
        (PARTIAL,),
    ),
    Mutant(
        "a picture without its last bytes is read",
        "index/images/decode.py",
        "        return _decoded(data, wanted, in_part=True)",
        "        raise broken",
        (PARTIAL,),
    ),
    Mutant(
        "what isn't there of a picture is grey",
        "index/images/partial.py",
        "    seen.paste(grey, ",
        "    seen.copy().paste(grey, ",
        (PARTIAL,),
    ),
    Mutant(
        "an animation of WebP keeps the frames before the damage",
        "index/images/webp.py",
        "    if not frames:",
        "    if True:",
        (PARTIAL,),
    ),
    Mutant(
        "a picture remembers that it is partial",
        "index/store/sql/statements.py",
        "one.text, int(one.partial))",
        "one.text, 0)",
        (
            "tests/index/cli/test_add.py::test_what_can_be_seen_of_a_damaged_file_is_searched_until_the_file_is_whole",
        ),
    ),
    Mutant(
        "a document without its layers' picture isn't taken for white",
        "index/images/unsupported.py",
        "    if any(len(known) > 4 and not known[4] for known in versions):",
        "    if False:",
        (ZOO,),
    ),
    Mutant(
        "a Lottie sticker is found",
        "bot/media/download.py",
        "        if kind in NO_PICTURES and not is_sticker:",
        "        if kind in NO_PICTURES:",
        ("tests/bot/sync/test_live.py::test_sticker_is_indexed",),
    ),
    Mutant(
        "an address of JSON is shown as no picture",
        "bot/ask/layout.py",
        "    if url == shown.picture.urls[0] and not shown.picture.shown_by_discord:",
        "    if False:",
        ("tests/bot/ask/test_stickers.py",),
    ),
    Mutant(
        "millions of megapixels are written as people do",
        "index/types/errors.py",
        '        return Sentence("more than a million megapixels")\n',
        '        return Sentence("{n} megapixels", n=count / 1_000_000)\n',
        ("tests/index/images/test_decode.py",),
    ),
)
