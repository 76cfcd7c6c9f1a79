"""What a person sees depends on who they are."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.page import village
from tests.page.conftest import Enter, write
from tests.page.processes import WINDOW

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def channels(page: Page) -> set[str]:
    await page.wait_for_selector("a.channel")
    return set(await page.locator("a.channel").evaluate_all("all => all.map(a => a.dataset.name)"))


async def test_log_in_screen_lists_everyone_but_the_bot(browser: Browser, base: str) -> None:
    page = await browser.new_page(viewport=WINDOW)
    await page.goto(base)
    await expect(page.get_by_role("heading", name="Who do you want to be?")).to_be_visible()
    names = page.locator(".person-words b")
    await expect(names).to_have_text(["Ada", "Finn", "Mei"])
    await expect(page.locator("[data-person=finn]")).to_contain_text("Moderators")
    await expect(page.locator("[data-person=mei]")).to_contain_text("an ordinary member")
    await page.locator("[data-person=mei]").click()
    await page.wait_for_selector("a.channel")
    await page.reload()  # the tab remembers its person
    await expect(page.locator(".person-card b")).to_have_text("Mei")
    await page.context.close()


async def test_a_moderator_sees_a_channel_that_a_member_does_not(enter: Enter) -> None:
    everyone = {"general", "pets", "after-dark", "trips", "gallery"}
    assert await channels(await enter("finn")) == everyone | {"mods-only"}
    assert await channels(await enter("ada")) == everyone | {"mods-only"}
    assert await channels(await enter("mei")) == everyone


async def test_the_address_of_a_hidden_channel_opens_another(enter: Enter) -> None:
    page = await enter("mei", village.MODS_ONLY)
    await expect(page.locator(".toast")).to_contain_text("cannot see that channel")
    await expect(page.locator(".chat-header h1")).to_have_text("general")
    await expect(page.get_by_text("Between us.")).to_have_count(0)


async def test_a_person_switches_to_another_in_place(enter: Enter) -> None:
    page = await enter("finn", village.MODS_ONLY)
    await expect(page.get_by_text("Between us.")).to_be_visible()
    await page.locator(".person-card").click()
    await page.get_by_role("dialog").locator("[data-person=mei]").click()
    await expect(page.locator(".person-card b")).to_have_text("Mei")
    assert "mods-only" not in await channels(page)
    await expect(page.get_by_text("Between us.")).to_have_count(0)


async def test_age_restricted_channel_asks_first(enter: Enter) -> None:
    page = await enter("mei", village.AFTER_DARK)
    await expect(page.get_by_role("heading", name="This channel is age-restricted")).to_be_visible()
    await expect(page.get_by_text("It is dark.")).to_have_count(0)
    await page.get_by_role("button", name="I am of age").click()
    await expect(page.get_by_text("It is dark.")).to_be_visible()


async def test_forum_posts_are_cards_that_open(enter: Enter) -> None:
    page = await enter("mei", village.TRIPS)
    await page.locator(".post", has_text="Long walks").click()
    await expect(page.get_by_text("We walked far.")).to_be_visible()
    await expect(page.locator(".chat-header h1")).to_contain_text("Long walks")


async def test_an_admin_creates_and_deletes_a_channel_and_others_see_it_live(enter: Enter) -> None:
    ada = await enter("ada")
    mei = await enter("mei")
    await ada.get_by_role("button", name="Hall").click(button="right")
    await ada.get_by_role("menuitem", name="Create channel").click()
    dialog = ada.get_by_role("dialog", name="Create channel")
    await dialog.get_by_label("Name").fill("attic")
    await dialog.get_by_role("button", name="Create").click()
    attic = mei.locator("a.channel[data-name=attic]")
    await attic.click()
    await expect(mei.get_by_text("Nothing has been posted here yet")).to_be_visible()
    await ada.locator("a.channel[data-name=attic]").click(button="right")
    await ada.get_by_role("menuitem", name="Delete channel").click()
    await ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(attic).to_have_count(0)
    await expect(mei.locator(".chat-header h1")).to_have_text("general")


async def test_a_member_has_no_menu_item_to_create_channels(enter: Enter) -> None:
    page = await enter("mei")
    await page.locator("a.channel[data-name=pets]").click(button="right")
    await expect(page.get_by_role("menuitem", name="Copy link")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Create channel")).to_have_count(0)


async def test_a_mention_elsewhere_is_counted_until_it_is_read(enter: Enter) -> None:
    mei = await enter("mei", village.GENERAL)
    await write(await enter("finn", village.GALLERY), "@Mei come and see")
    gallery = mei.locator("a.channel[data-name=gallery]")
    await expect(gallery.locator(".badge")).to_have_text("1")
    await gallery.click()
    await expect(gallery.locator(".badge")).to_have_count(0)
