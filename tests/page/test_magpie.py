"""Everything together, as a person uses it: page, sandbox, Magpie and the pocket model."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.languages.speech import speaking
from bot.text import watches as text
from demo import WORLD, watches
from pocket import MODEL
from tests.page import processes
from tests.page.conftest import write

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not (MODEL / "config.json").is_file(), reason="there is no pocket model"),
]

INDEXED_WITHIN_MS = 200_000  # about five hundred pictures on a slow core
ASKED_EVERY_MS = 5_000  # to draw the answers takes from the time for the pictures
ANSWERS_WITHIN_MS = 60_000
WATCHED = ("The Nest", "Pictures", "Back rooms")  # categories: all channels in them
PRIVATE_PICTURE = "moose in snow"  # posted in a channel of the explorers
PRIVATE_CHANNEL = "#explorers-room"
OUTSIDER = "pim"


@pytest.fixture(scope="module")
def nest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the demo world with Magpie in it."""
    folder = tmp_path_factory.mktemp("nest")
    with (
        processes.sandbox(folder, WORLD) as base,
        processes.magpie(folder, base),
    ):
        yield base


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def admin(browser: Browser, nest: str) -> AsyncIterator[Page]:
    """The owner's page, when the pictures are indexed."""
    page = await enter(browser, nest, owner())
    for category in WATCHED:
        await write(page, f"/channels add {category}")
        await page.keyboard.press("Enter")  # the first one chose from the list
        await expect(answers(page).last).to_contain_text(category)
    await until_indexed(page)
    yield page
    await page.context.close()


async def enter(browser: Browser, base: str, name: str) -> Page:
    context = await browser.new_context(viewport=processes.WINDOW, color_scheme="dark")
    page = await context.new_page()
    page.set_default_timeout(ANSWERS_WITHIN_MS)
    await page.goto(f"{base}/?as={name}")
    await page.wait_for_selector(".message")
    return page


async def until_indexed(page: Page) -> None:
    """Ask again until the answer no longer says that older messages are still being read."""
    done = "!document.querySelector('.message.answer:last-child')?.textContent.includes('still')"
    for _ in range(INDEXED_WITHIN_MS // ASKED_EVERY_MS):
        before = await answers(page).count()
        await write(page, "/find nest")
        await expect(answers(page)).to_have_count(before + 1, timeout=ANSWERS_WITHIN_MS)
        await expect(page.locator(".thinking")).to_have_count(0, timeout=ANSWERS_WITHIN_MS)
        if await page.evaluate(done):
            return
        await page.wait_for_timeout(ASKED_EVERY_MS)
    pytest.fail("the pictures were not indexed in time")


def answers(page: Page) -> Any:
    return page.locator(".message.answer")


def world() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(WORLD.read_text(encoding="utf-8"))
    return loaded


def owner() -> str:
    loaded = world()
    names = {user["id"]: user["username"] for user in loaded["users"]}
    return str(names[loaded["guilds"][0]["owner_id"]])


async def ask(page: Page, command: str) -> Any:
    """Run a command; returns the answer's element when it is filled in."""
    before = await answers(page).count()
    await write(page, command)
    await expect(answers(page)).to_have_count(before + 1)
    answer = answers(page).last
    await expect(answer.locator(".thinking")).to_have_count(0)
    return answer


def shows(file: str) -> set[str]:
    """The subjects and places of a picture, from the demo world's labels."""
    labels: dict[str, Any] = json.loads(WORLD.with_name("labels.json").read_text(encoding="utf-8"))
    return {*labels[file]["subjects"], *labels[file]["places"]}


def picture_of(message_id: str, filename: str) -> str:
    """The world's file of a message's attachment."""
    messages = world()["guilds"][0]["messages"]
    [message] = [message for message in messages if message["id"] == message_id]
    return next(str(a["file"]) for a in message["attachments"] if a["filename"] == filename)


async def test_dog_in_snow_is_found_and_leads_to_its_message(admin: Page) -> None:
    answer = await ask(admin, "/find dog in snow")
    await expect(answer).to_contain_text("Only you can see this")
    tiles = answer.locator(".section .tile")
    await expect(tiles.nth(1)).to_be_visible()
    best = await tiles.first.get_attribute("title") or ""
    filename = re.sub(r"^1: (.*), by .*$", r"\1", best)
    await answer.get_by_role("link", name="go to message").first.click()
    target = admin.locator(".message.flash")
    await expect(target).to_be_in_viewport()
    await expect(target.get_by_role("button", name=filename).first).to_be_visible()
    message_id = await target.get_attribute("data-id") or ""
    assert {"dog", "snow"} <= shows(picture_of(message_id, filename))


async def test_find_similar_answers_from_a_picture(admin: Page) -> None:
    picture = admin.locator(".message:not(.answer) .tile[data-key]").last
    before = await answers(admin).count()
    await picture.click(button="right")
    await admin.get_by_role("menuitem", name="Apps").hover()
    await admin.get_by_role("menuitem", name="Find similar").click()
    await expect(answers(admin)).to_have_count(before + 1)
    await expect(answers(admin).last).to_contain_text("Closest to this picture")
    await expect(answers(admin).last.locator(".tile").first).to_be_visible()


async def test_a_reply_with_magpie_is_answered_for_everyone(admin: Page, browser: Browser) -> None:
    origin = await admin.evaluate("location.origin")
    page = await enter(browser, origin, OUTSIDER)
    message = page.locator(".message:not(.answer):has(.tile[data-key])").last
    await message.scroll_into_view_if_needed()
    await message.hover()
    await message.get_by_role("button", name="Reply", exact=True).click()
    await page.keyboard.type("@Magpie but at night")
    await page.keyboard.press("Enter")
    answer = page.locator(".message:has(.container)", has_text="but at night").last
    await expect(answer.locator(".tile").first).to_be_visible()
    await expect(answer).to_contain_text("only what everyone in this channel may see")
    await page.context.close()


async def test_an_answer_goes_forth_and_back_and_closer_in_place(admin: Page) -> None:
    answer = await ask(admin, "/find snow")
    await expect(answer).to_contain_text("Pictures 1–6")
    before = await answers(admin).count()
    await answer.get_by_role("button", name="▶").click()
    await expect(answer).to_contain_text("Pictures 7–12")
    await answer.get_by_role("combobox").select_option(index=2)
    await expect(answer.locator(".single .tile")).to_be_visible()
    await answer.get_by_role("button", name="Back to the pictures").click()
    await expect(answer).to_contain_text("Pictures 7–12")
    await answer.get_by_role("button", name="◀").click()
    await expect(answer).to_contain_text("Pictures 1–6")
    assert await answers(admin).count() == before


async def named_channels(page: Page, question: str) -> set[str]:
    """The channels of the pictures that answer a question."""
    answer = await ask(page, f"/find {question}")
    return set(await answer.locator(".section button.mention").all_inner_texts())


async def test_an_outsider_does_not_see_pictures_of_closed_channels(
    admin: Page, browser: Browser
) -> None:
    assert PRIVATE_CHANNEL in await named_channels(admin, PRIVATE_PICTURE)
    origin = await admin.evaluate("location.origin")
    page = await enter(browser, origin, OUTSIDER)
    named = await named_channels(page, "snow")
    assert named
    named |= await named_channels(page, PRIVATE_PICTURE)
    visible = await page.locator("a.channel").evaluate_all("all => all.map(a => a.dataset.name)")
    threads = {thread["name"] for thread in world()["guilds"][0]["threads"]}
    assert {name.removeprefix("#") for name in named} <= {*visible, *threads}
    assert PRIVATE_CHANNEL not in named
    await page.context.close()


async def test_watches_tell_each_in_their_language_and_nobody_who_can_not_read_there(
    admin: Page, browser: Browser, nest: str
) -> None:
    async with aiohttp.ClientSession() as session:
        await watches.play(session, nest)
    direct = "button.guild[aria-label='Direct messages']"
    for name, language in ((watches.ADMIN, "en"), (watches.MEMBER, watches.SPOKEN)):
        page = await enter(browser, nest, name)
        await page.locator(direct).click()
        with speaking(language):
            heading, pause = text.notice(""), text.pause_this()
        notice = page.locator(".message", has_text=heading.strip())
        await expect(notice).to_have_count(1)
        await expect(notice).to_contain_text(watches.WATCHED)
        await expect(notice.locator(".component-button", has_text=pause)).to_be_visible()
        await page.context.close()
    page = await enter(browser, nest, watches.OUTSIDER)
    listed = await ask(page, "/watch list")
    await expect(listed).to_contain_text(watches.WATCHED)
    await expect(page.locator(direct)).to_have_count(0)
    await page.context.close()
