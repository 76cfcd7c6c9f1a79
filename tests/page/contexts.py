"""Contexts of a browser that later tests use again.

Chromium takes half a second of processor time more for a page in a new context than for one in a
context that has another page. So each context keeps an empty page, and what the pages of a test
stored is removed before the next one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error


class Contexts:
    """The contexts of one browser that no test uses now, by their options."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = {}

    @asynccontextmanager
    async def lent(self, **options: Any) -> AsyncIterator[BrowserContext]:
        """A context with nothing in its storage, whose only page is empty."""
        free = self._free.setdefault(repr(options), [])
        if free:
            context = free.pop()
        else:
            context = await self._browser.new_context(**options)
            await context.new_page()
        yield context
        if await _emptied(context):
            free.append(context)
        else:
            await context.close()


async def _emptied(context: BrowserContext) -> bool:
    """Close the pages of a test and clear what they stored. -> whether that could be done"""
    pages = context.pages[1:]
    try:
        for page in pages:
            await page.evaluate("localStorage.clear()")
        await context.clear_cookies()
        await context.set_offline(False)
    except Error:  # the test closed the context, or a page is where there is no storage
        return False
    for page in pages:
        await page.close()
    return bool(pages)
