"""A sandbox in a process of its own, and a real Chromium in front of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.page import village

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 60
QUIET = [
    "--no-sandbox",  # as root, and in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]
WINDOW = {"width": 1360, "height": 860}

Enter = Callable[..., Coroutine[Any, Any, Page]]


def start_sandbox(folder: Path, world: Path) -> tuple[subprocess.Popen[str], str]:
    """A running `python -m sandbox` and the base URL that it printed."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--world", str(world)]
    log = (folder / "sandbox.log").open("w")
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data")], cwd=ROOT, stdout=subprocess.PIPE, stderr=log,
        text=True,
    )  # fmt: skip
    log.close()
    assert process.stdout is not None
    line = process.stdout.readline()
    url = re.search(r"http://\S+", line)
    if url is None:
        process.kill()
        process.communicate()
        pytest.fail(f"the sandbox did not start: {line}{(folder / 'sandbox.log').read_text()}")
    return process, url.group().rstrip("/")


def stop(process: subprocess.Popen[str]) -> None:
    """End a process as an operator would, and wait for it."""
    process.terminate()
    process.communicate(timeout=STARTS_WITHIN_S)


def chromium(own: str) -> str | None:
    """The browser of the system, else Playwright's own if it was downloaded, else None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    return found or (own if Path(own).exists() else None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests. Outside CI its absence skips them, in CI it fails."""
    async with async_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        if path is None:
            reason = "no Chromium: neither in PATH nor from `playwright install chromium`"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        browser = await playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a sandbox with the village in it."""
    folder = tmp_path_factory.mktemp("village")
    process, url = start_sandbox(folder, village.write(folder))
    yield url
    stop(process)


@pytest_asyncio.fixture(loop_scope="session")
async def enter(browser: Browser, base: str) -> AsyncIterator[Enter]:
    """enter("mei", channel=…) → a page of its own, logged in. Errors in the page fail the test."""
    contexts = []
    errors: list[str] = []

    async def enter(name: str, channel: str = village.PETS, message: str = "") -> Page:
        context = await browser.new_context(viewport=WINDOW, color_scheme="dark")  # type: ignore[arg-type]
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        place = f"{village.GUILD}/{channel}{f'/{message}' if message else ''}"
        await page.goto(f"{base}/?as={name}#/{place}")
        await page.wait_for_selector(".app:not(.starting)")
        return page

    yield enter
    for context in contexts:
        await context.close()
    assert not errors, errors


async def write(page: Page, text: str) -> None:
    """Type into the composer and press Enter."""
    await page.locator(".composer-field").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
