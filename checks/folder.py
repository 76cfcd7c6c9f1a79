"""A folder of mixed files, added by the command line: each is searched, or refused in words.

Sound and damaged pictures of every kind that is read, kinds that aren't read, and files that only
have a picture's name. Silent is a file of which neither is true. The peer is Pillow alone, which is
asked to load each file.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from PIL import Image

from bench.options import Options
from bench.report import Figure, Report, Target
from checks.fuzzing import files
from index import Gallery
from index.cli.commands import add
from index.cli.main import main
from pocket import MODEL

FILES = 1_000
# Of all files: undamaged, and cut off or otherwise damaged. The others only have such a name.
SOUND, DAMAGED = 0.6, 0.3
ENDINGS = {
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe", ".mpo", ".JPG"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "AVIF": (".avif", ".avifs"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "HEIC": (".heic", ".heif", ".HEIC"),
    "ICO": (".ico",),
    "JPEG 2000": (".jp2", ".j2k"),
    "PPM": (".ppm", ".pgm", ".pnm"),
    "PSD": (".psd",),
    "QOI": (".qoi",),
    "TGA": (".tga",),
}
UNREAD = (".jxl", ".svg", ".dng", ".cr2", ".exr", ".eps", ".xcf", ".jxr", ".dds", ".icns")


def fill(folder: Path, count: int, seed: int) -> set[str]:
    """Write that many files. -> the paths of those that are sound"""
    rng = random.Random(seed)
    whole = files.sound()
    sound = set()
    for number in range(count):
        format = rng.choice(list(ENDINGS))
        data, ending = rng.choice(whole[format]), rng.choice(ENDINGS[format])
        way = rng.random()
        if way > SOUND + DAMAGED:
            data, ending = rng.choice(files.OTHERS), rng.choice((ending, *UNREAD))
        elif way > SOUND:
            data = data[: int(len(data) * rng.uniform(0.1, 1))]
            data = files.damaged(data, rng) if rng.random() < 0.5 else data
        place = folder / f"{number % 7}" / f"{number:04}{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        if way <= SOUND:
            sound.add(str(place))
    return sound


def added(folder: Path, gallery: Path, model: Path) -> tuple[set[str], dict[str, str], int]:
    """What became of the files. -> those that are searched, the words for the others, and how many
    are searched in part"""
    add.BROKEN_SHOWN = FILES  # so that all of them are said
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        main(["add", str(folder), "--db", str(gallery), "--model", str(model)])
    words = dict(re.findall(r"^  (\S+): (.+\.)$", said.getvalue(), re.M))
    searched, partial = asyncio.run(_kept(gallery))
    refused = {os.path.abspath(os.path.expanduser(path)): said for path, said in words.items()}
    return searched, {path: said for path, said in refused.items() if path not in searched}, partial


async def _kept(path: Path) -> tuple[set[str], int]:
    gallery = await Gallery.open(path, read_only=True)
    try:
        return set(await gallery.links.known(0, 0)), (await gallery.links.count()).partial
    finally:
        await gallery.close()


def run(options: Options) -> Report:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        sound = fill(folder, FILES, options.seed)
        began = time.perf_counter()
        searched, refused, partial = added(folder, Path(place) / "g.db", MODEL)
        took = time.perf_counter() - began
        paths = {str(path) for path in folder.rglob("*.*")}
        by_pillow = sum(map(_pillow_loads, paths))
    silent = len(paths - searched - set(refused))
    reasons = Counter(re.split(r", |\. ", said)[0] for said in refused.values())
    figures: dict[str, Figure] = {"files": len(paths), "searched": len(searched)}
    figures |= {"of them in part": partial, "refused in words": len(refused), "seconds": took}
    figures |= {f"refused: {said}": count for said, count in reasons.most_common(12)}
    return Report(
        figures=figures,
        peers={"Pillow loads": by_pillow},
        targets={
            "silent": Target(silent, 0, at_least=False),
            "sound_missed": Target(len(sound - searched), 0, at_least=False),
        },
    )


def _pillow_loads(path: str) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except Exception:  # whatever a decoder raises on damaged bytes
        return False
    return True
