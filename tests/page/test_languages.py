"""A person's language: commands are named in it, and go out under their real names."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.page.conftest import Enter, write
from tests.page.parrot import Parrot, text

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def parrot(base: str) -> AsyncIterator[Parrot]:
    async with Parrot(base) as parrot:
        yield parrot


async def test_commands_are_named_in_the_chosen_language(enter: Enter, parrot: Parrot) -> None:
    parrot.answers["find"] = lambda data: text("gefunden <t:1699963200:D>")
    parrot.answers["Find similar"] = lambda data: text("Ähnliche")
    page = await enter("finn")
    await page.get_by_role("button", name="Language").click()
    await page.get_by_role("menuitem", name="Deutsch").click()
    try:
        await page.locator(".composer-field").click()
        await page.keyboard.type("/")
        names = page.locator(".suggestion-label")
        await expect(names).to_contain_text(["/finden", "/kanäle add"])
        await expect(page.get_by_text("Einen Kanal beobachten")).to_be_visible()
        await page.locator(".composer-field").fill("")
        await write(page, "/finden hund sichtbar show:alle")
        await expect(page.get_by_text("gefunden")).to_be_visible()
        await expect(page.get_by_text("14. November 2023")).to_be_visible()
        heard = parrot.heard[-1]
        assert (heard["data"]["name"], heard["locale"]) == ("find", "de")
        assert {one["name"]: one["value"] for one in heard["data"]["options"]} == {
            "query": "hund sichtbar",
            "show": "everyone",
        }
        await page.get_by_text("gefunden").click(button="right")
        await page.get_by_role("menuitem", name="Apps").click()
        await page.get_by_role("menuitem", name="Ähnliche finden").click()
        await expect(page.get_by_text("Ähnliche", exact=True)).to_be_visible()
        assert parrot.heard[-1]["data"]["name"] == "Find similar"
    finally:
        await page.get_by_role("button", name="Language").click()
        await page.get_by_role("menuitem", name="English").click()


async def test_who_manages_a_server_chooses_the_language_of_all(enter: Enter) -> None:
    page = await enter("ada")
    for language in ("Deutsch", "English"):
        await page.get_by_role("button", name="Language").click()
        await page.get_by_role("menuitem", name="For everybody in").hover()
        item = page.locator(".menu .menu").get_by_role("menuitem", name=language)
        async with page.expect_response("**/guilds/*") as changed:
            await item.click()
        assert (await (await changed.value).json())["preferred_locale"][:2] == language[:2].lower()
