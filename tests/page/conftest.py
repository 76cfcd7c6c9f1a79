"""A sandbox in its own process, and a real Chromium."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.page import processes, village
from tests.page.contexts import Contexts
from tests.page.processes import CHROMIUM_FLAGS, PHONE, WINDOW

TIMEOUT_MS = 60_000  # enough on a busy machine
expect.set_options(timeout=TIMEOUT_MS)

Enter = Callable[..., Coroutine[Any, Any, Page]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests. Without it, they are skipped; in CI they fail."""
    async with async_playwright() as playwright:
        path = processes.chromium(playwright.chromium.executable_path)
        if path is None:
            reason = "no Chromium: neither in PATH nor from `playwright install chromium`"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Contexts:
    """The contexts of the browser, each of which several tests use, one after the other."""
    return Contexts(browser)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a sandbox with the village in it."""
    folder = tmp_path_factory.mktemp("village")
    with processes.sandbox(folder, village.write(folder)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def enter(contexts: Contexts, base: str) -> AsyncIterator[Enter]:
    """enter("mei", channel=…) → a new page, logged in. Errors in the page fail the test."""
    lent = AsyncExitStack()
    errors: list[str] = []

    async def enter(name: str, channel: str = village.PETS, *, phone: bool = False) -> Page:
        window = PHONE if phone else WINDOW
        context = await lent.enter_async_context(
            contexts.lent(viewport=window, has_touch=phone, is_mobile=phone, color_scheme="dark")
        )
        page = await context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{base}/?as={name}#/{village.GUILD}/{channel}")
        await page.wait_for_selector(".app:not(.starting)")
        return page

    async with lent:
        yield enter
    assert not errors, errors


Ask = Callable[..., Coroutine[Any, Any, Any]]


@pytest_asyncio.fixture(loop_scope="session")
async def ask(base: str) -> AsyncIterator[Ask]:
    """ask("ada", "POST", path, body) → the API's answer to a person, without the page."""
    async with aiohttp.ClientSession() as session:

        async def ask(name: str, method: str, path: str, body: Any = None) -> Any:
            headers = {"Authorization": f"token-of-{name}"}
            url = f"{base}/api/v10{path}"
            async with session.request(method, url, json=body, headers=headers) as answer:
                assert answer.status < 400, await answer.text()
                return await answer.json() if answer.status != 204 else None

        yield ask


async def write(page: Page, text: str) -> None:
    """Type into the composer and press Enter."""
    await page.locator(".composer-field").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
