"""The run: random servers, a deal after the other, and questions after each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.options import Options
from bench.report import Report, Target
from checks import places
from checks.permissions import side_channels, testbed
from checks.permissions.asking import Asking
from checks.permissions.inquiry import WORDS, Inquiry
from checks.permissions.random_servers import Layout, layout
from checks.permissions.testbed import Scene, Testbed, open_testbed
from checks.permissions.verdict import Verdict
from index.types.records import key_of
from pocket import MODEL

WORLDS = 2_000
JUDGED = 5  # of so many worlds, one has words judged: whether anything fits them
SERVERS = 8
PICTURES = 40  # files; each server shows most of them
IN_A_PLACE = (1, 3)
COPIED = 0.5  # of the places have a copy of a picture of any place
ROLES, PEOPLE = 4, 5


async def inquire(
    seed: int,
    worlds: int,
    folder: Path,
    model: testbed.Model,
    verdict: Verdict,
    *,
    place: str | Path | None = None,
    servers: int = SERVERS,
    judges: bool = False,
) -> None:
    """Ask after each of `worlds` deals, which follow from the seed.

    place    of the gallery: a file in the folder, unless another place is given
    judges   words that no picture fits are answered so; else everything fits
    """
    rng, ids = random.Random(seed), testbed.ids()
    bot = next(ids)
    layouts = [layout(rng, ids, bot, roles=ROLES, people=PEOPLE) for _ in range(servers)]
    scene = Scene(folder, bot)
    files = testbed.draw(folder, PICTURES)
    for of in layouts:
        scene.build(of, _shown(rng, of, files))
    people = [id for of in layouts for id in of.people]
    place = place or folder / "magpie.db"
    async with open_testbed(scene, people, place, model, judges=judges) as on:
        for of in layouts:
            await on.watch(of)
        await _write_words(on, rng)
        asking = [Asking(Inquiry(on, of, random.Random(rng.random()), verdict)) for of in layouts]
        for world in range(worlds):
            await asking[world % servers].after_a_deal(world)


async def _write_words(on: Testbed, rng: random.Random) -> None:
    """Let most pictures say what is asked for in words, wherever they are shown."""
    transcripts = on.magpie.gallery.transcripts
    await transcripts.begin("check")
    files = {one.file for pictures in on.pictures.values() for one in pictures}
    for file in sorted(files):
        lines = rng.sample(WORDS, rng.randint(0, 2))
        key = key_of("image", await asyncio.to_thread(file.read_bytes))
        await transcripts.put(key, "check", lines)


def _shown(rng: random.Random, of: Layout, files: list[Path]) -> dict[int, list[Path]]:
    """Which files each channel or thread shows. Some of them are shown in others, too."""
    left: Iterator[Path] = iter(rng.sample(files, len(files)))
    shown: dict[int, list[Path]] = {}
    for place in of.places:
        many = rng.randint(*IN_A_PLACE)
        shown[place.id] = [file for _, file in zip(range(many), left, strict=False)]
    for place in of.places:
        others = [file for files in shown.values() for file in files]
        if others and rng.random() < COPIED:
            shown[place.id].append(rng.choice(others))
    return shown


@contextlib.contextmanager
def _new_gallery(db: str) -> Iterator[tuple[Path, str | Path]]:
    """A folder for files, and the place of a gallery; both go with the block."""
    with tempfile.TemporaryDirectory(prefix="permissions-") as name:
        folder = Path(name)
        with places.empty(db, folder) as place:
            yield folder, place


def run(options: Options) -> Report:
    logging.basicConfig(level=logging.WARNING)  # discord.py logs as warnings what it could not do
    seed, worlds = options.seed, WORLDS if options.worlds is None else options.worlds
    verdict, judged = Verdict(), worlds // JUDGED
    began, spent = time.perf_counter(), time.process_time()
    for many, judges in ((worlds - judged, False), (judged, True)):
        with _new_gallery(options.db) as (folder, place):
            asking = inquire(seed, many, folder, str(MODEL), verdict, place=place, judges=judges)
            asyncio.run(asking)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - spent
    with _new_gallery(options.db) as (folder, place):
        twins = asyncio.run(side_channels.compare(folder, str(MODEL), place=place))
    questions = sum(verdict.asked.values())
    counts = {"leaked", "withheld", "told", "refused"}
    figures = {name: getattr(verdict, name) for name in sorted(counts)}
    figures |= {
        "store": options.db,
        "seed": seed,
        "worlds": verdict.worlds,
        "questions": questions,
        "pictures shown": verdict.pictures,
        "pictures kept off a page": verdict.barred,
        "seconds, of processor": f"{wall_s:.0f}, {cpu_s:.0f}",
    }
    figures |= {f"asked by {door}": n for door, n in sorted(verdict.asked.items())}
    figures |= {f"failure {n}": text for n, text in enumerate(verdict.failures, start=1)}
    targets = {name: Target(getattr(verdict, name), 0, at_least=False) for name in sorted(counts)}
    return Report(figures | twins.figures(), {}, targets | twins.targets())
