"""The page of `magpie serve` on many pictures: when they are seen, how soon a question is answered,
and how many frames are dropped while one scrolls through all of them; beside a plain grid of the
same thumbnails in the same browser, in which the browser loads what comes near (`loading=lazy`).

A frame counts as dropped for each 1/60 s by which one comes later than that after the one before. A
scroll through all shows another screen in every frame; a flick passes a screen in half a second.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.async_api import Browser, Page, Route, async_playwright

from bench import BUILD, checkpoint
from bench.options import Options
from bench.report import Figure, Report, Target
from bench.vectors import pictures
from index import Gallery
from index.cli.thumbnails import Thumbnails
from index.stills import thumbnail_of
from tests.page.processes import CHROMIUM_FLAGS, WINDOW, chromium

ROWS = 100_000
DRAWN = 200  # different pictures; each is in many files, with other bytes
ALBUM = 1000  # pictures of a folder
SHAPES = ((640, 480), (480, 640), (640, 360), (500, 500), (800, 400))
BEGAN, APART_S = 1_500_000_000, 2400  # a picture every 40 minutes: 7.6 years for 100,000
CHUNK = 10_000
STARTS = 3
WORDS = ("dog in snow", "a red car at night", "birthday cake", "boats", "green hills")
THROUGH_ALL_S = 15.0
FLICK_S, FLICK_PX_S = 8.0, 1720  # two windows a second
LONG_MS = 300_000
SEEN = ".tile img.there"  # a picture of the page that has loaded

# Scrolls `element` by so many pixels a second, or to its end in so many seconds; gives the times
# between frames, and how often a picture in view was not there yet.
SCROLL = """async ({selector, tile, there, seconds, speed}) => {
  const element = selector ? document.querySelector(selector) : document.scrollingElement;
  element.scrollTop = 0;
  await new Promise((done) => setTimeout(done, 500));
  const length = element.scrollHeight - element.clientHeight;
  const perMs = speed ? speed / 1000 : length / (1000 * seconds);
  const gaps = [];
  let looked = 0, missing = 0;
  const start = await new Promise(requestAnimationFrame);
  let last = start;
  while (last - start < 1000 * seconds) {
    element.scrollTop = Math.min(length, perMs * (last - start));
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
    if (gaps.length % 15) continue;
    for (let x = 100; x < innerWidth; x += 250) {
      const at = document.elementsFromPoint(x, innerHeight / 2).find((one) => one.matches(tile));
      looked += 1;
      if (!at || !(at.matches(there) || at.querySelector(there))) missing += 1;
    }
  }
  return { gaps, length, missing: looked ? missing / looked : 0 };
}"""
PLAIN = """<!doctype html><meta charset="utf-8"><title>plain</title><style>
body { margin: 0; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 4px; }
img { width: 100%; height: 200px; object-fit: cover; }
</style><script>
const note = ({ target }) => { if (target.src) target.dataset.there = ""; };
document.addEventListener("load", note, true);
</script><main>"""


def run(options: Options) -> Report:
    """Measure the page, and the plain grid."""
    rows = options.rows[0] if options.rows else ROWS
    file, root = asyncio.run(_gallery(rows))
    with _served(file, root) as url:
        return asyncio.run(_measured(url, rows))


# ---- the gallery


async def _gallery(rows: int) -> tuple[Path, Path]:
    """The file of a gallery, and its folder; all thumbnails are kept. Made once under build/."""
    model = checkpoint.unjudging(checkpoint.vit_b32())
    folder = (BUILD / f"page-{rows}").resolve()
    file, root = folder / "g.db", folder / "photos"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        root.mkdir(parents=True)
        await (await Gallery.open(file, str(model), device="cpu")).close()
        _fill(file, root, rows)
        (folder / "ready").touch()
    opened = await Gallery.open(file)  # brought to the newest shape, all rows settled
    while not opened._engine.idle:  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.1)
    await opened.close()
    return file, root


def _fill(file: Path, root: Path, rows: int) -> None:
    """The files, the rows of a gallery without the hours that embedding them would take, and their
    thumbnails."""
    drawn = [_drawn(number) for number in range(DRAWN)]
    small = [thumbnail_of(data, 200) for data in drawn]
    vectors = pictures(rows)
    db = sqlite3.connect(file)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("INSERT OR IGNORE INTO groups (space, id, private) VALUES (0, 0, 0)")
    with closing(db), closing(Thumbnails(file)) as kept:
        for start in range(0, rows, CHUNK):
            numbers = range(start, min(start + CHUNK, rows))
            for number in numbers:
                path = _path(root, number)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(drawn[number % DRAWN][:100])  # only its thumbnail is looked at
                kept.put(_key(number), 200, small[number % DRAWN])
            _insert(db, root, numbers, vectors)


def _insert(db: sqlite3.Connection, root: Path, numbers: range, vectors: Any) -> None:
    db.executemany(
        "INSERT INTO items (id, key, kind, width, height) VALUES (?, ?, 'image', ?, ?)",
        [(n + 1, _key(n), *SHAPES[n % DRAWN % len(SHAPES)]) for n in numbers],
    )
    db.executemany(
        "INSERT INTO embeddings VALUES (?, ?)", [(n + 1, vectors[n].tobytes()) for n in numbers]
    )
    db.executemany("INSERT INTO derived_fingerprint VALUES (?, x'')", [(n + 1,) for n in numbers])
    db.executemany(
        """INSERT INTO links (id, space, group_id, source, slot, item, owner, posted_at, name,
        spoiler, details) VALUES (?, 0, 0, ?, '', ?, 0, ?, ?, 0, '{}')""",
        [
            (n + 1, str(path), n + 1, BEGAN + APART_S * n, path.name)
            for n in numbers
            for path in [_path(root, n)]
        ],
    )
    db.commit()


def _path(root: Path, number: int) -> Path:
    return root / f"album {number // ALBUM:03}" / f"IMG_{number:06}.jpg"


def _key(number: int) -> bytes:
    return number.to_bytes(32, "big")[::-1]


def _drawn(number: int) -> bytes:
    """A picture of soft colours."""
    random = np.random.default_rng(number)
    spots = Image.fromarray(random.integers(0, 256, (5, 7, 3), np.uint8).astype(np.uint8))
    out = io.BytesIO()
    size = SHAPES[number % len(SHAPES)]
    spots.resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


# ---- the server


@contextmanager
def _served(file: Path, root: Path) -> Iterator[str]:
    """The page's address, while `magpie serve` runs."""
    command = [sys.executable, "-m", "serve", str(root), "--db", str(file), "--no-open"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().startswith("http"):
                yield line.strip()
                break
        else:
            raise RuntimeError("magpie serve ended before it served")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


# ---- what is measured


async def _measured(url: str, rows: int) -> Report:
    async with _browser() as browser:
        first = [await _first(browser, url) for _ in range(STARTS)]
        page = await _opened(browser, url)
        answers = [await _search(page, words) for words in WORDS]
        await page.close()
        page = await _opened(browser, url)
        ours = {"selector": "#pictures", "tile": ".tile", "there": "img.there"}
        scrolls = await _scrolls(page, ours)
        await page.close()
        page = await browser.new_page(viewport=WINDOW)
        await page.route("**/plain", lambda route: _plain(route, rows))
        await page.goto(f"{url}plain", wait_until="commit", timeout=LONG_MS)
        plain_ms = await _seen(page, "img[data-there]")
        await page.wait_for_load_state("domcontentloaded", timeout=LONG_MS)
        grid = {"selector": "", "tile": "img", "there": "img[data-there]"}
        plain = await _scrolls(page, grid)
    figures: dict[str, Figure] = {
        "pictures": rows,
        "first pictures seen, ms": statistics.median(first),
        "a search, ms": statistics.median(answers),
        **scrolls,
    }
    peers: dict[str, Figure] = {"first pictures seen, ms": plain_ms, **plain}
    targets = {
        f"{way}: frames dropped, %": Target(
            float(scrolls[f"{way}: frames dropped, %"] or 0),
            float(plain[f"{way}: frames dropped, %"] or 0),
            at_least=False,
        )
        for way in ("through all", "a flick")
    }
    named = {f"a plain grid: {name}": value for name, value in peers.items()}
    return Report(figures, named, targets)


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


async def _opened(browser: Browser, url: str) -> Page:
    page = await browser.new_page(viewport=WINDOW)
    await page.goto(url, wait_until="commit")
    await page.wait_for_selector(SEEN, timeout=LONG_MS)
    return page


async def _first(browser: Browser, url: str) -> float:
    """Milliseconds from the request of the page to the first picture, with an empty cache."""
    context = await browser.new_context(viewport=WINDOW)
    page = await context.new_page()
    await page.goto(url, wait_until="commit")
    seen = await _seen(page, SEEN)
    await context.close()
    return seen


async def _seen(page: Page, picture: str) -> float:
    """Milliseconds from the request of the page until such a picture is there."""
    await page.wait_for_selector(picture, timeout=LONG_MS)
    return float(await page.evaluate("performance.now()"))


async def _search(page: Page, words: str) -> float:
    """Milliseconds from Enter to the first hits."""
    await page.fill("#line", words)
    began = time.perf_counter()
    async with page.expect_response(lambda answer: "/api/hits/" in answer.url):
        await page.press("#line", "Enter")
    await page.wait_for_selector(SEEN, timeout=LONG_MS)
    return 1000 * (time.perf_counter() - began)


async def _scrolls(page: Page, where: dict[str, str]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for way, seconds, speed in (
        ("through all", THROUGH_ALL_S, 0),
        ("a flick", FLICK_S, FLICK_PX_S),
    ):
        told = await page.evaluate(SCROLL, {**where, "seconds": seconds, "speed": speed})
        gaps = told["gaps"]
        dropped = sum(max(0, round(gap * 60 / 1000) - 1) for gap in gaps)
        figures[f"{way}: frames dropped, %"] = 100 * dropped / (dropped + len(gaps))
        figures[f"{way}: longest gap, ms"] = max(gaps)
        figures[f"{way}: places in view without a picture, %"] = 100 * told["missing"]
    return figures


async def _plain(route: Route, rows: int) -> None:
    cells = "".join(
        f'<img loading=lazy src="thumb/{rows - number}?h=200">' for number in range(rows)
    )
    await route.fulfill(body=f"{PLAIN}{cells}</main>", content_type="text/html")
