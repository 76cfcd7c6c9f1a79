"""What a person does on the page of `magpie serve`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.serve.page.conftest import BROKEN, PICTURES, Enter

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What each says is in its first line.
LAYOUT, FAINT = (Path(__file__).with_name(name).read_text() for name in ("layout.js", "faint.js"))

# A picture comes onto the page as if it had been copied in another program.
PASTE = """async (address) => {
  const bytes = await (await fetch(address)).blob();
  const data = new DataTransfer();
  data.items.add(new File([bytes], "copied.jpg", { type: bytes.type }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


async def seen(page: Page) -> list[str]:
    """The alt texts of the pictures of a search, in their order."""
    await page.locator(".tile img.there").first.wait_for()
    return await page.locator(".tile img").evaluate_all("all => all.map(image => image.alt)")


async def test_a_search_stands_in_the_address_and_back_undoes_it(enter: Enter) -> None:
    page = await enter()
    await expect(page.locator("#status")).to_have_text(f"{PICTURES} pictures")
    await page.keyboard.press("/")
    await page.keyboard.type("whale")
    await page.keyboard.press("Enter")
    await expect(page.locator("#status")).to_contain_text("match")
    assert "whale" in (await seen(page))[0]
    assert page.url.endswith("#q=whale")
    await page.reload()
    await expect(page.locator("#line")).to_have_value("whale")
    assert "whale" in (await seen(page))[0]
    await page.go_back()
    await expect(page.locator("#status")).to_have_text(f"{PICTURES} pictures")
    await expect(page.locator("#line")).to_have_value("")


async def test_where_nothing_fits_the_closest_stand_behind_a_button(enter: Enter) -> None:
    page = await enter("#q=asdfghjkl")
    await expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    await expect(page.locator(".tile")).to_have_count(0)
    await page.get_by_role("button", name="Show what comes closest").click()
    await expect(page.get_by_role("heading", name="Closest of the others")).to_be_visible()
    await expect(page.locator(".tile").first).to_be_visible()
    await expect(page.locator("#status")).to_have_text("Nothing fits")


async def test_keys_go_through_the_grid_and_into_a_picture(enter: Enter) -> None:
    page = await enter()
    await page.locator(".tile img.there").first.wait_for()
    await page.keyboard.press("ArrowDown")  # into the grid
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        await page.keyboard.press(key)
    at = await page.evaluate("Number(document.activeElement.parentElement.dataset.index)")
    assert at > 1  # below the first two
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture", exact=True)
    where = await viewer.locator(".viewer-where").inner_text()
    await page.keyboard.press("ArrowRight")
    place = int(where.split()[0]) + 1
    await expect(viewer.locator(".viewer-where")).to_have_text(f"{place} of {PICTURES}")
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    focused = page.locator(".tile a:focus")
    await expect(focused.locator("..")).to_have_attribute("data-index", str(place - 1))
    assert "show" not in page.url


async def test_suggestions_are_chosen_with_the_arrow_keys(enter: Enter) -> None:
    page = await enter()
    field = page.get_by_role("combobox", name="Search the pictures")
    await field.click()
    await page.keyboard.type("dog in:nor")
    option = page.get_by_role("option", name="Trips/Norway")
    await expect(option).to_be_visible()
    await expect(field).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("ArrowDown")
    await expect(option).to_have_attribute("aria-selected", "true")
    assert await field.get_attribute("aria-activedescendant") == await option.get_attribute("id")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("dog in:Trips/Norway ")
    await page.keyboard.press("Enter")
    await expect(page.locator("#status")).to_contain_text("match")
    await field.fill("bef")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()


async def test_a_line_that_cant_be_read_says_where(enter: Enter) -> None:
    page = await enter()
    await page.locator("#line").fill("dog before:someday")
    await page.keyboard.press("Enter")
    await expect(page.locator("#line-error")).to_contain_text("someday")
    chosen = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
    start, end = await page.evaluate(chosen)
    assert "dog before:someday"[start:end].endswith("someday")
    await expect(page.locator("#status")).to_have_text("")


async def test_pictures_steer_the_search_as_chips(enter: Enter) -> None:
    page = await enter("#q=cat")
    first = page.locator(".tile").first
    await first.hover()
    await first.get_by_role("button", name="More like this").click()
    await expect(page.locator(".chip", has_text="More like")).to_have_count(1)
    await expect(page.locator(".tile.more").first).to_be_visible()
    assert "more=" in page.url
    await page.get_by_role("button", name="Remove: More like").click()
    await expect(page.locator(".chip")).to_have_count(0)
    assert page.url.endswith("#q=cat")


async def test_a_pasted_picture_finds_its_like(enter: Enter) -> None:
    page = await enter("#q=whale")
    whale = await page.locator(".tile a").first.get_attribute("href")
    assert whale is not None
    id = whale.rpartition("show=")[2]
    await page.evaluate(PASTE, f"file/{id}")
    await expect(page.locator(".chip", has_text="Like your picture")).to_be_visible()
    await expect(page.locator(".tile a").first).to_have_attribute("href", re.compile(f"show={id}$"))


async def test_a_folder_and_months_narrow_the_pictures(enter: Enter) -> None:
    page = await enter()
    await page.get_by_role("button", name="Folder").click()
    await page.get_by_role("treeitem", name="Home").click()
    await expect(page.locator("#status")).to_have_text("30 pictures")
    await page.get_by_role("button", name="Date").click()
    await page.get_by_role("button", name="February 2024").click()
    await page.get_by_role("button", name="March 2024").click()
    await expect(page.locator("#status")).to_have_text("10 pictures")
    await page.keyboard.press("Escape")
    headings = page.locator(".heading h2")
    await expect(headings).to_have_text(["March 2024", "February 2024"])
    await page.get_by_role("button", name="Remove: Home").click()
    await expect(page.locator("#status")).to_have_text("30 pictures")


async def test_copies_are_folded_behind_a_number(enter: Enter) -> None:
    page = await enter()
    await page.get_by_role("button", name="Show all 2 copies").first.click()
    copies = page.locator(".info .copy")
    await expect(copies).to_have_count(1)
    await copies.click()
    await expect(page.locator(".viewer-where")).to_have_text("2 of 2")


async def test_only_what_is_in_sight_is_in_the_page(enter: Enter) -> None:
    page = await enter()
    await page.locator(".tile img.there").first.wait_for()
    assert await page.evaluate(LAYOUT) == []
    scroll = "document.querySelector('#pictures').scrollTop = 1e7"
    for step in (scroll, scroll.replace("1e7", "0"), scroll):
        await page.evaluate(step)
    last = page.locator(f".tile[data-index='{PICTURES - 2}']")  # the last one is broken
    await expect(last.locator("img.there")).to_be_visible()
    assert await page.locator(".tile").count() < PICTURES
    await expect(page.locator(".tile[data-index='0']")).to_have_count(0)
    place = await last.bounding_box()
    await page.wait_for_timeout(300)
    assert await last.bounding_box() == place  # loading moves nothing


async def test_a_broken_picture_is_a_quiet_tile_with_its_reason(enter: Enter) -> None:
    page = await enter("#folder=Home&sort=oldest")
    broken = page.locator(".tile.broken")
    await expect(broken).to_have_count(1)
    await expect(broken.locator(".why")).not_to_be_empty()
    await broken.click()
    await expect(page.locator(".viewer-name")).to_have_text(BROKEN.name)
    await expect(page.locator(".viewer .trouble p")).not_to_be_empty()


async def test_a_server_that_is_gone_is_waited_for(enter: Enter) -> None:
    page = await enter()
    await page.locator(".tile img.there").first.wait_for()
    await page.context.set_offline(True)
    await page.locator("#line").fill("dog")
    again = page.expect_event("requestfailed", lambda one: one.url.endswith("api/gallery"))
    async with again:  # it tries once more in vain
        await page.keyboard.press("Enter")
        await expect(page.locator("#banner")).to_contain_text("does not answer")
    await page.context.set_offline(False)
    await expect(page.locator("#banner")).to_be_hidden()
    await expect(page.locator("#status")).to_contain_text("match")


async def test_an_error_leaves_no_count_and_no_searching_beside_it(enter: Enter) -> None:
    page = await enter()
    await expect(page.locator("#status")).to_have_text(f"{PICTURES} pictures")

    async def late(route: Route) -> None:
        await page.locator("#status", has_text="Searching").wait_for()
        await route.fulfill(status=503, json={"sentence": "The gallery is away."})

    await page.route("**/api/ask", late)
    await page.locator("#line").fill("dog")
    await page.keyboard.press("Enter")
    await expect(page.locator("#state")).to_contain_text("The gallery is away.")
    await expect(page.locator("#status")).to_be_empty()


async def test_an_answer_that_is_lost_on_its_way_is_asked_for_again(enter: Enter) -> None:
    page = await enter()
    await page.locator(".tile img.there").first.wait_for()
    await page.route(
        "**/api/ask", lambda route: route.fulfill(status=200, body='{"ask": "'), times=1
    )
    await page.locator("#line").fill("dog")
    await page.keyboard.press("Enter")
    await expect(page.locator("#status")).to_contain_text("match")
    await expect(page.locator("#banner")).to_be_hidden()


async def test_a_fast_scroll_names_the_month_that_it_passes(enter: Enter) -> None:
    page = await enter()
    await page.locator(".tile img.there").first.wait_for()
    label = page.locator(".scrubber-label")
    await expect(label).to_have_css("opacity", "0")
    scroll = """(share) => {
      const one = document.querySelector("#pictures");
      one.scrollTop = share * one.scrollHeight;
    }"""
    await page.evaluate(scroll, 0.01)
    await page.wait_for_timeout(300)
    await page.evaluate(scroll, 0.6)
    named = page.locator(".scrubber.named")
    await expect(named.locator(".scrubber-label")).to_have_text(re.compile(r"20[0-9][0-9]"))
    await expect(named).to_have_count(0)


async def test_the_atlas_opens_pictures_and_zooms_to_names(enter: Enter) -> None:
    page = await enter("#view=atlas")
    name = page.locator(".atlas-label").first
    await name.wait_for()
    before = await name.evaluate("label => label.style.transform")
    await name.click()
    await expect(page.locator(".atlas-label").first).not_to_have_attribute("style", before)
    await page.keyboard.press("0")
    canvas = page.locator(".atlas-canvas")
    await canvas.focus()
    await page.keyboard.press("ArrowRight")
    card = page.locator(".atlas-card-name")
    await expect(card).not_to_be_empty()
    named = await card.text_content()
    await page.keyboard.press("Enter")
    await expect(page.locator(".viewer-name")).to_have_text(str(named))
    await page.keyboard.press("Escape")
    await expect(canvas).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_stands_out_from_what_is_behind_it(enter: Enter, scheme: str) -> None:
    page = await enter(scheme=scheme)
    await page.locator(".tile img.there").first.wait_for()
    assert await page.evaluate(FAINT) == []
    for button in ("Folder", "Date", "Newest first", "Appearance and keys"):
        await page.get_by_role("button", name=button).click()
        assert await page.evaluate(FAINT) == []
        await page.keyboard.press("Escape")
    await page.locator(".tile").first.click()
    await page.keyboard.press("i")
    await page.locator(".info .fact").first.wait_for()
    assert await page.evaluate(FAINT) == []


async def test_a_phone_needs_no_scrolling_sideways(enter: Enter) -> None:
    page = await enter("#q=cat", phone=True)
    await page.locator(".tile img.there").first.wait_for()
    wide = """Math.max(...[...document.querySelectorAll(".top *, .status, .tile, .heading")].map(
      (one) => one.getBoundingClientRect().right))"""
    assert await page.evaluate(wide) <= 390
    await page.locator(".tile").first.tap()
    await expect(page.locator("img.full")).to_be_visible()
