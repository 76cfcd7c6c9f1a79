"""`python -m tests.page.screenshots [--out docs]`: makes the pictures of the README.

It starts the demo world and Magpie, asks questions as different people, and saves what they see.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from PIL import Image
from playwright.async_api import Browser, Locator, Page, async_playwright

from demo import WORLD, watches
from sandbox.person import Person, everybody
from tests.page import processes
from tests.page.processes import CHROMIUM_FLAGS, ROOT, WINDOW

MAX_BYTES = 250_000  # a picture, so that the README loads quickly
ADMIN, MEMBER, EXPLORER, OUTSIDER = "wren", "ada", "mei", "pim"
CATEGORIES = ("The Nest", "Pictures", "Back rooms")
HALF = {"width": 800, "height": 860}  # two of these side by side
WAIT_MS = 60_000
ASKED_WITH = "I have waited nine years"  # a whale
HALFWAY = re.compile(r"\b[3-7]\d %")
# Discord lets a bot read about one page of history a second
AS_SLOW_AS_DISCORD = {
    "kind": "slow", "path": "/channels/*/messages", "who": "bot", "delay_s": 1.0, "times": None,
}  # fmt: skip


class Studio:
    """The browser, the base URL, and the folder for the pictures."""

    def __init__(self, browser: Browser, base: str, out: Path) -> None:
        self.browser = browser
        self.base = base
        self.out = out

    async def enter(self, name: str, channel: str = "general", *, half: bool = False) -> Page:
        """A page of a person, in a channel, without the hints."""
        context = await self.browser.new_context(
            viewport=HALF if half else WINDOW, color_scheme="dark", locale="en-GB"
        )
        await context.add_init_script("localStorage.setItem('magpie.hints', 'seen')")
        page = await context.new_page()
        page.set_default_timeout(WAIT_MS)
        await page.goto(f"{self.base}/?as={name}")
        await page.locator(f"a.channel[data-name='{channel}']").click()
        await page.wait_for_selector(".message")
        return page

    async def clear_faults(self) -> None:
        """Remove the faults that slow the sandbox down."""
        context = await self.browser.new_context()
        await context.request.delete(f"{self.base}/sandbox/faults")
        await context.close()

    async def keep(self, name: str, *pages: Page) -> None:
        """Save one picture of a page, or of several side by side, and close the pages."""
        shots = []
        for page in pages:
            if not await page.locator(".menu").count():
                await page.mouse.move(700, 5)  # where no message is under the pointer
            await settle(page)
            shots.append(await page.screenshot())
            await page.context.close()
        save(shots, self.out / f"{name}.webp")
        print(self.out / f"{name}.webp")


def save(shots: list[bytes], path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Save the shots side by side, as wide as one window, in at most so many bytes."""
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    sheet = Image.new("RGB", (sum(one.width for one in pictures), pictures[0].height))
    left = 0
    for one in pictures:
        sheet.paste(one, (left, 0))
        left += one.width
    if sheet.width > WINDOW["width"]:
        sheet.thumbnail((WINDOW["width"], sheet.height), Image.Resampling.LANCZOS)
    for quality in (90, 84, 76, 66, 56):
        sheet.save(path, quality=quality, method=6)
        if path.stat().st_size <= max_bytes:
            return


async def settle(page: Page) -> None:
    """Wait until all visible pictures are loaded."""
    await page.wait_for_function(
        "[...document.images].every((image) => image.complete || image.loading === 'lazy')"
    )
    await page.wait_for_timeout(700)


async def write(page: Page, text: str) -> None:
    await page.locator(".composer-field").click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


def answers(page: Page) -> Locator:
    return page.locator(".message.answer")


async def ask(page: Page, command: str) -> Locator:
    """Run a command; returns the answer when it is filled in."""
    before = await answers(page).count()
    await write(page, command)
    return await next_answer(page, before)


async def next_answer(page: Page, before: int) -> Locator:
    """The answer after the first `before` ones, when it is filled in."""
    answer = answers(page).nth(before)
    await answer.wait_for()
    await answer.locator(".thinking").wait_for(state="detached")
    return answer


async def greeting(studio: Studio) -> None:
    """A server that Magpie has just joined, and the steps by which an admin sets it up."""
    page = await studio.enter(ADMIN)
    for kind in ("leave", "join"):
        await page.request.put(f"{studio.base}/sandbox/faults", data={"kind": kind})
    menu = page.locator(".message:has(.component-select.multi)").last.locator("details")
    await menu.locator("summary").click()
    for channel in ("pets", "Back rooms"):
        await menu.locator("label", has_text=channel).first.click()
    await menu.locator("summary").click()
    await page.locator(".message.answer .component-button", has_text="Start").wait_for()
    await studio.keep("greeting", page)


async def prepare(studio: Studio) -> None:
    """As the owner, make Magpie watch all channels, and wait until it has read them."""
    page = await studio.enter(ADMIN)
    for category in CATEGORIES:
        await write(page, f"/channels add {category}")
        await page.keyboard.press("Enter")  # the first one chose from the list
        await page.locator(".message.answer", has_text=category).last.wait_for()
    while "still" in await (await ask(page, "/find nest")).inner_text():
        await page.wait_for_timeout(2000)
    await page.context.close()


async def find(studio: Studio) -> None:
    page = await studio.enter(MEMBER)
    await ask(page, "/find dog in snow")
    await studio.keep("find", page)


async def clip(studio: Studio) -> None:
    """A video, found by one of its scenes."""
    page = await studio.enter(MEMBER, "travel")
    await write(page, "/find whale in the sea has:video")
    await page.keyboard.press("Enter")  # the first one chose from the list
    await next_answer(page, 0)
    await studio.keep("clip", page)


async def overview(studio: Studio) -> None:
    """What the pictures are about; the contact sheet and the map."""
    page = await studio.enter(MEMBER)
    await write(page, "/overview")
    for _ in range(2):  # for whom, and the command itself
        await page.keyboard.press("Enter")
    await next_answer(page, 0)
    await studio.keep("overview", page)


async def words(studio: Studio) -> None:
    """A meme, found by its words when they have been read."""
    page = await studio.enter(ADMIN)
    while "Words read in all" not in await (await ask(page, "/status")).inner_text():
        await page.wait_for_timeout(2000)
    await page.context.close()
    page = await studio.enter(MEMBER, "memes")
    await write(page, '/find "one does not simply"')
    await next_answer(page, 0)
    await studio.keep("words", page)


async def similar(studio: Studio) -> None:
    """On the left the menu that asks, on the right its answer."""
    pages = [await studio.enter(EXPLORER, "wildlife", half=True) for _ in range(2)]
    for page in pages:
        await page.evaluate("place => { location.hash = place }", picture_to_ask_with())
        picture = page.locator(".message.flash .tile").first
        await picture.click(button="right", position={"x": 110, "y": 40})
        await page.get_by_role("menuitem", name="Apps").hover()
        await page.get_by_role("menuitem", name="Find similar").wait_for()
    before = await answers(pages[1]).count()
    await pages[1].get_by_role("menuitem", name="Find similar").click()
    await next_answer(pages[1], before)
    await studio.keep("similar", *pages)


def picture_to_ask_with() -> str:
    """The address, in the page, of the message with the picture that `similar` asks with."""
    world = json.loads(WORLD.read_text(encoding="utf-8"))
    guild = world["guilds"][0]
    message = next(one for one in guild["messages"] if ASKED_WITH in one["content"])
    return f"#/{guild['id']}/{message['channel_id']}/{message['id']}"


async def reply(studio: Studio) -> None:
    page = await studio.enter(MEMBER, "pets")
    message = page.locator(".message:not(.answer):has(.single .tile[data-key])").last
    await message.scroll_into_view_if_needed()
    await message.hover()
    await message.get_by_role("button", name="Reply", exact=True).click()
    before = await answers(page).count()
    await page.keyboard.type("@Magpie but at night")
    await page.keyboard.press("Enter")
    await next_answer(page, before)
    await studio.keep("reply", page)


async def private(studio: Studio) -> None:
    pages = [await studio.enter(name, half=True) for name in (EXPLORER, OUTSIDER)]
    for page in pages:
        await ask(page, "/find moose in snow")
    await studio.keep("private", *pages)


async def watch(studio: Studio) -> None:
    """On the left a member adds a watch; on the right is what they are told."""
    pages = [await studio.enter(MEMBER, half=True) for _ in range(2)]
    await ask(pages[0], "/watch add whale")
    await post_a_whale(studio)
    await pages[1].locator("button.guild[aria-label='Direct messages']").click()
    await pages[1].locator(".message", has_text="New for your watch").first.wait_for()
    await studio.keep("watch", *pages)


async def post_a_whale(studio: Studio) -> None:
    """Post a picture of the demo's world once more, as another member."""
    async with aiohttp.ClientSession() as session:
        people = {one["user"]["username"]: one for one in await everybody(session, studio.base)}
        token = people[EXPLORER]["token"]
        async with Person.log_in(session, studio.base, token) as person:
            where = person.channel("wildlife")
            await person.post(where, watches.SAID, pictures={"a.webp": watches.picture()})


async def told(studio: Studio) -> None:
    """On the left a member who is told in their language, on the right one who can't read where
    the picture was posted."""
    async with aiohttp.ClientSession() as session:
        await watches.play(session, studio.base)
    pages = [await studio.enter(name, half=True) for name in (watches.MEMBER, watches.OUTSIDER)]
    await pages[0].locator("button.guild[aria-label='Direct messages']").click()
    await pages[0].locator(".message:has(.component-button)").first.wait_for()
    await write(pages[1], "/watch list")
    await pages[1].keyboard.press("Enter")  # the first one chose the command
    await next_answer(pages[1], 0)
    await studio.keep("told", *pages)


async def reindex(studio: Studio) -> None:
    page = await studio.enter(ADMIN)
    faults = f"{studio.base}/sandbox/faults"
    await page.request.put(faults, data=AS_SLOW_AS_DISCORD)
    await write(page, "/reindex what:every")
    await page.keyboard.press("Enter")  # the first one chose from the list
    progress = page.locator(".message:has(.action-row)").last
    await progress.filter(has_text=HALFWAY).wait_for()
    await studio.keep("reindex", page)
    await studio.clear_faults()


SHOTS: dict[str, Callable[[Studio], Awaitable[None]]] = {
    one.__name__: one
    for one in (
        greeting,
        find,
        overview,
        clip,
        words,
        similar,
        reply,
        private,
        watch,
        told,
        reindex,
    )
}

ALONE = [greeting.__name__]  # in a world of its own, in which Magpie watches nothing


async def shoot(base: str, out: Path, names: list[str]) -> None:
    async with async_playwright() as playwright:
        path = processes.chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        studio = Studio(browser, base, out)
        if names != ALONE:
            await prepare(studio)
        for name in names:
            await SHOTS[name](studio)
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.page.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="default: docs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHOTS)}")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(SHOTS):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    names = chosen.names or list(SHOTS)
    alone, others = [n for n in names if n in ALONE], [n for n in names if n not in ALONE]
    for together in filter(None, (alone, others)):
        with (
            tempfile.TemporaryDirectory() as folder,
            processes.sandbox(Path(folder), WORLD) as base,
            processes.magpie(Path(folder), base),
        ):
            asyncio.run(shoot(base, chosen.out, together))


if __name__ == "__main__":
    main()
