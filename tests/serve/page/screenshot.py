"""`python -m tests.serve.page.screenshot [--out docs]`: makes the picture of docs/serve.md."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright, expect

from tests.page import processes
from tests.page.processes import CHROMIUM_FLAGS, ROOT, WINDOW
from tests.page.screenshots import save
from tests.serve.page import holidays

MAX_BYTES = 120_000
QUESTION = "#q=cat"
FADES_MS = 500


async def shoot(address: str, path: Path) -> None:
    """A search, with the pointer on one of its pictures."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=processes.chromium(playwright.chromium.executable_path),
            args=CHROMIUM_FLAGS,
        )
        page = await browser.new_page(viewport=WINDOW, color_scheme="light", locale="en-GB")
        await page.goto(f"{address}{QUESTION}")
        await page.locator(".tile img.there").first.wait_for()
        await page.locator(".tile").nth(1).hover()
        await expect(page.locator(".tile img:not(.there)")).to_have_count(0)
        await page.wait_for_timeout(FADES_MS)
        save([await page.screenshot()], path, MAX_BYTES)
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.serve.page.screenshot")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="default: docs")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "Holidays"
        sources = holidays.of_the_demo()
        holidays.photos(folder, sources)
        with holidays.served(folder, len(sources) + 1) as address:
            asyncio.run(shoot(address, out / "serve.webp"))


if __name__ == "__main__":
    main()
