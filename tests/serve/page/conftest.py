"""`magpie serve` on a folder, and a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.page.conftest import TIMEOUT_MS
from tests.page.conftest import browser as browser  # pytest finds it here
from tests.page.conftest import contexts as contexts
from tests.page.contexts import Contexts
from tests.page.processes import PHONE, WINDOW
from tests.serve.page import holidays

PICTURES = 90
BROKEN = Path("Home/001.jpg")  # the oldest

Enter = Callable[..., Coroutine[Any, Any, Page]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serve") / "Holidays"
    holidays.photos(folder, holidays.of_the_demo()[: 2 * PICTURES : 2])
    return folder


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """The address of the page, when all pictures are there; one was broken since."""
    with holidays.served(folder, PICTURES + 1) as url:
        (folder / BROKEN).write_bytes(b"no picture")
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def enter(contexts: Contexts, address: str) -> AsyncIterator[Enter]:
    """enter("#q=dog") → a new page at this question. Errors in the page fail the test."""
    lent = AsyncExitStack()
    errors: list[str] = []

    async def enter(question: str = "", *, phone: bool = False, scheme: Any = "light") -> Page:
        context = await lent.enter_async_context(
            contexts.lent(
                viewport=PHONE if phone else WINDOW,
                has_touch=phone,
                is_mobile=phone,
                color_scheme=scheme,
                locale="en-GB",
            )
        )
        page = await context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{address}{question}")
        return page

    async with lent:
        yield enter
    assert not errors, errors
