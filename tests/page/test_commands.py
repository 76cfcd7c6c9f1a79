"""Slash commands, buttons, menus and forms, with a bot whose answers the test chooses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from tests.page import village
from tests.page.conftest import Enter, write
from tests.page.parrot import Parrot, text

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def parrot(base: str) -> AsyncIterator[Parrot]:
    async with Parrot(base) as parrot:
        yield parrot


def options(interaction: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in interaction["data"].get("options", [])}


async def test_a_complete_typed_command_runs_on_enter(enter: Enter, parrot: Parrot) -> None:
    parrot.answers["find"] = lambda data: text("three dogs", private=True)
    page = await enter("mei")
    other = await enter("finn")
    await write(page, "/find dog in snow")
    answer = page.locator(".message.ephemeral", has_text="three dogs")
    await expect(answer).to_contain_text("Only you can see this")
    await expect(answer.locator(".above")).to_contain_text("Mei used /find")
    assert options(parrot.heard[-1]) == {"query": "dog in snow"}
    await expect(other.get_by_text("three dogs")).to_have_count(0)
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)


async def test_the_list_opens_and_a_choice_becomes_a_pill(enter: Enter, parrot: Parrot) -> None:
    parrot.answers["find"] = lambda data: text("shown to all")
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/")
    names = page.locator(".suggestion-label")
    await expect(names).to_contain_text(
        ["/again", "/find", "/guess", "/list", "/channels add", "/channels list"]
    )
    await page.keyboard.type("fi")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a cat show:ever")
    await page.keyboard.press("Enter")  # takes the choice
    await page.keyboard.press("Enter")  # runs the command
    await expect(page.get_by_text("shown to all")).to_be_visible()
    assert options(parrot.heard[-1]) == {"query": "a cat", "show": "everyone"}


@pytest.mark.parametrize("pasted", [True, False])
@pytest.mark.parametrize(
    "line",
    [
        "/find query:dog in snow show:everyone",
        "/find show:everyone dog in snow",
        "/find dog show:everyone in snow",
    ],
)
async def test_a_line_that_is_typed_in_one_go_runs_on_enter(
    enter: Enter, parrot: Parrot, line: str, pasted: bool
) -> None:
    parrot.answers["find"] = lambda data: text("shown to all")
    page = await enter("mei")
    field = page.locator(".composer-field")
    await field.click()
    if pasted:
        await field.fill(line)
    else:
        await page.keyboard.type(line)
    before, answers = len(parrot.heard), page.get_by_text("shown to all")
    shown = await answers.count()  # an earlier test's may be there, too
    await page.keyboard.press("Enter")
    await expect(answers).to_have_count(shown + 1)
    sent = [one for one in parrot.heard[before:] if one["type"] == 2]
    assert [options(one) for one in sent] == [{"query": "dog in snow", "show": "everyone"}]


async def test_a_misspelt_choice_is_named_without_the_words_after_it(
    enter: Enter, parrot: Parrot
) -> None:
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/find show:everybdy dog")
    await page.keyboard.press("Enter")
    hint = page.locator(".command-hint")
    await expect(hint).to_have_text("“everybdy” is not one of the choices for “show”.")
    await expect(page.locator("[data-option=query] input")).to_have_value("dog")


async def test_a_missing_option_is_named_and_nothing_is_sent(enter: Enter, parrot: Parrot) -> None:
    page = await enter("mei")
    before = len(parrot.heard)
    await write(page, "/find ")
    await expect(page.locator(".command-hint")).to_have_text("“query” is needed.")
    await expect(page.locator("[data-option=query] input")).to_be_focused()
    assert len(parrot.heard) == before


async def test_a_picture_option_takes_a_file_by_pick_paste_and_drop(
    enter: Enter, parrot: Parrot, tmp_path: Path
) -> None:
    parrot.answers["find"] = lambda data: text("seen", private=True)
    Image.new("RGB", (50, 40), "red").save(tmp_path / "red.png")
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/find red image:")
    await page.locator("[data-option=image] input[type=file]").set_input_files(tmp_path / "red.png")
    await expect(page.locator(".file-choice")).to_contain_text("red.png")
    await page.locator("[data-option=query] input").press("Enter")
    await expect(page.get_by_text("seen")).to_be_visible()
    [attachment] = parrot.heard[-1]["data"]["resolved"]["attachments"].values()
    assert (attachment["filename"], attachment["width"]) == ("red.png", 50)

    await page.locator(".composer-field").click()
    await page.keyboard.type("/find red ")
    await page.locator("[data-option=query] input").evaluate(BRING, "paste")
    await expect(page.locator(".file-choice")).to_contain_text("brought.png")
    await page.keyboard.press("Escape")
    await page.keyboard.type("/find red ")
    await page.locator(".scroller").evaluate(BRING, "drop")
    await expect(page.locator(".file-choice")).to_contain_text("brought.png")


BRING = """(target, how) => {
  const files = new DataTransfer();
  const bytes = new Uint8Array([137, 80, 78, 71]);
  files.items.add(new File([bytes], "brought.png", { type: "image/png" }));
  const as = { bubbles: true, cancelable: true };
  target.dispatchEvent(how === "paste"
    ? new ClipboardEvent("paste", { ...as, clipboardData: files })
    : new DragEvent("drop", { ...as, dataTransfer: files }));
}"""


async def test_commands_keep_their_order_while_one_is_typed(enter: Enter, parrot: Parrot) -> None:
    page = await enter("mei")
    await page.locator(".composer-field").click()
    names = page.locator(".suggestion-label")
    both = re.compile(r"^/(?:channels )?list")
    for typed in ("/", "l", "i", "st"):
        await page.keyboard.type(typed)
        await expect(page.locator(".suggestions-title")).to_be_visible()
        await expect(names.filter(has_text=both)).to_have_text(["/list", "/channels list"])


async def test_enter_runs_a_command_with_a_picture(
    enter: Enter, parrot: Parrot, tmp_path: Path
) -> None:
    parrot.answers["find"] = lambda data: text("seen at once", private=True)
    Image.new("RGB", (50, 40), "red").save(tmp_path / "red.png")
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/find red image:")
    await expect(page.locator(".file-choice")).to_be_focused()
    await page.locator("[data-option=image] input[type=file]").set_input_files(tmp_path / "red.png")
    await expect(page.locator(".file-choice")).to_contain_text("red.png")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("seen at once")).to_be_visible()
    assert options(parrot.heard[-1]).keys() == {"query", "image"}


async def test_a_picture_added_before_the_command_goes_with_it(
    enter: Enter, parrot: Parrot
) -> None:
    parrot.answers["find"] = lambda data: text("seen with it", private=True)
    page = await enter("mei")
    await page.locator(".composer-field").evaluate(BRING, "paste")
    await expect(page.locator(".upload")).to_have_count(1)
    await write(page, "/find red")
    await expect(page.get_by_text("seen with it")).to_be_visible()
    [attachment] = parrot.heard[-1]["data"]["resolved"]["attachments"].values()
    assert attachment["filename"] == "brought.png"
    await expect(page.locator(".upload")).to_have_count(0)


async def test_a_phone_runs_a_command_with_a_picture(
    enter: Enter, parrot: Parrot, tmp_path: Path
) -> None:
    parrot.answers["find"] = lambda data: text("seen from afar", private=True)
    Image.new("RGB", (50, 40), "red").save(tmp_path / "red.png")
    page = await enter("mei", phone=True)
    await page.locator(".composer-field").tap()
    await page.keyboard.type("/find red ")
    await page.get_by_role("button", name="image", exact=True).tap()
    await page.locator("[data-option=image] input[type=file]").set_input_files(tmp_path / "red.png")
    run = page.get_by_role("button", name="Run this command")
    await expect(run).to_be_in_viewport()
    await run.tap()
    await expect(page.get_by_text("seen from afar")).to_be_visible()
    assert options(parrot.heard[-1]).keys() == {"query", "image"}


async def test_an_answer_to_a_button_names_the_message_with_the_button(
    enter: Enter, parrot: Parrot
) -> None:
    def with_button(private: bool) -> dict[str, Any]:
        button = {"type": 2, "style": 1, "label": "More", "custom_id": "more"}
        row = {"type": 1, "components": [button]}
        content = "the first page"
        return {"content": content, "components": [row], "flags": 64 if private else 0}

    mei, finn = await enter("mei", village.GALLERY), await enter("finn", village.GALLERY)
    for private in (True, False):
        parrot.answers["find"] = lambda _, private=private: {
            "type": 4, "data": with_button(private),
        }  # fmt: skip
        word = "quietly" if private else "aloud"
        parrot.answers["more"] = lambda _, word=word: text(f"more, {word}")
        await write(mei, "/find birds")
        first = mei.locator(".message", has_text="the first page").last
        await first.get_by_role("button", name="More").click()
        answer = mei.locator(".message", has_text=f"more, {word}")
        await expect(answer.locator(".above")).to_contain_text("the first page")
        others = finn.locator(".message", has_text=f"more, {word}").locator(".above")
        # a message that only Mei can see is no deleted one to others, and they don't read it
        await expect(others).to_contain_text("Mei used a button" if private else "the first page")
    await expect(mei.get_by_text("was deleted")).to_have_count(0)


async def test_a_subcommand_with_a_channel_from_the_list(enter: Enter, parrot: Parrot) -> None:
    parrot.answers["channels"] = lambda data: text("watching", private=True)
    page = await enter("ada")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/channels add pe")
    await expect(page.locator(".suggestion[aria-selected=true]")).to_contain_text("#pets")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    answer = page.locator(".message", has_text="watching")
    await expect(answer.locator(".above")).to_contain_text("Ada used /channels add")
    [add] = parrot.heard[-1]["data"]["options"]
    assert add["name"] == "add"
    assert add["options"] == [{"type": 7, "name": "channel", "value": village.PETS}]


async def test_typed_text_counts_when_all_options_are_optional(
    enter: Enter, parrot: Parrot
) -> None:
    parrot.answers["again"] = lambda data: text("going on", private=True)
    page = await enter("ada")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/again what:every")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("going on")).to_be_visible()
    assert options(parrot.heard[-1]) == {"what": "all"}
    await write(page, "/again #pets")
    await expect(page.get_by_text("going on")).to_have_count(2)
    assert options(parrot.heard[-1]) == {"channel": village.PETS}


async def test_autocomplete_shows_the_bots_choices(enter: Enter, parrot: Parrot) -> None:
    def answer(data: dict[str, Any]) -> dict[str, Any]:
        typed = data["options"][0]["value"]
        if not data["options"][0].get("focused"):
            return text(f"you chose {typed}", private=True)
        return {"type": 8, "data": {"choices": [{"name": f"{typed}bird", "value": "a-bird"}]}}

    parrot.answers["guess"] = answer
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/guess black")
    await expect(page.locator(".suggestion-label")).to_have_text("blackbird")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("you chose a-bird")).to_be_visible()


async def test_a_choice_stays_chosen_when_the_next_option_is_typed_behind_it(
    enter: Enter, parrot: Parrot
) -> None:
    def answer(data: dict[str, Any]) -> dict[str, Any]:
        if not any(one.get("focused") for one in data["options"]):
            return text("all heard", private=True)
        return {"type": 8, "data": {"choices": [{"name": "a blackbird", "value": "merle"}]}}

    parrot.answers["guess"] = answer
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/guess black")
    await expect(page.locator(".suggestion-label")).to_have_text("a blackbird")
    await page.keyboard.press("Enter")
    await page.keyboard.type(" colour:")
    await expect(page.locator("[data-option=colour] input")).to_be_focused()
    await expect(page.locator(".suggestion-label")).to_have_text("a blackbird")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("all heard")).to_be_visible()
    assert options(parrot.heard[-1]) == {"word": "merle", "colour": "merle"}


async def test_options_are_found_and_completed_by_the_keyboard(
    enter: Enter, parrot: Parrot
) -> None:
    def answer(data: dict[str, Any]) -> dict[str, Any]:
        focused = next((one for one in data["options"] if one.get("focused")), None)
        if focused is None:
            return text("all heard", private=True)
        names = [f"{focused['name']} {n}" for n in (1, 2, 3)]
        return {"type": 8, "data": {"choices": [{"name": n, "value": n[-1]} for n in names]}}

    parrot.answers["guess"] = answer
    page = await enter("mei")
    await page.locator(".composer-field").click()
    await page.keyboard.type("/guess word:")  # by who knows the option's name
    chosen = page.locator(".suggestion[aria-selected=true]")
    await expect(chosen).to_have_text("word 1")
    await expect(page.locator("[data-option=word] input")).to_have_value("")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator(".command-tail")).to_be_focused()
    await page.keyboard.type("col")
    await expect(chosen).to_have_text("colourIts colour")
    await page.keyboard.press("Tab")
    await expect(chosen).to_have_text("colour 1")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("all heard")).to_be_visible()
    assert options(parrot.heard[-1]) == {"word": "2", "colour": "3"}


async def test_a_deferred_answer_is_filled_in(enter: Enter, parrot: Parrot) -> None:
    parrot.answers["find"] = lambda data: {"type": 5, "data": {"flags": 64}}
    page = await enter("mei")
    await write(page, "/find slow thing")
    await expect(page.get_by_text("Magpie is thinking…")).to_be_visible()
    await parrot.follow_up(parrot.heard[-1], {"content": "found at last"})
    await expect(page.get_by_text("found at last")).to_be_visible()
    await expect(page.get_by_text("Magpie is thinking…")).to_have_count(0)


async def test_a_missing_answer_is_shown(enter: Enter, parrot: Parrot) -> None:
    parrot.answers.pop("find", None)
    page = await enter("mei")
    await write(page, "/find silence")
    await expect(page.locator(".notice.failed")).to_contain_text("The application did not respond")
    await page.get_by_role("button", name="Dismiss", exact=True).click()
    await expect(page.locator(".notice")).to_have_count(0)


async def test_the_menu_of_a_message_runs_an_apps_command(enter: Enter, parrot: Parrot) -> None:
    parrot.answers["Find similar"] = lambda data: text(f"like {data['target_id']}", private=True)
    page = await enter("mei")
    await page.locator(f"#message-{village.FIRST_PICTURE} .tile").click(button="right")
    await page.get_by_role("menuitem", name="Apps").hover()
    await page.get_by_role("menuitem", name="Find similar").click()
    await expect(page.get_by_text(f"like {village.FIRST_PICTURE}")).to_be_visible()


async def test_v2_message_with_buttons_that_wait_and_answer(enter: Enter, parrot: Parrot) -> None:
    def page_of(word: str) -> dict[str, Any]:
        gallery = {
            "type": 12,
            "items": [{"media": {"url": "https://pictures.example/a.png"}, "spoiler": True}],
        }
        row = {
            "type": 1,
            "components": [
                {"type": 2, "style": 1, "label": "More", "custom_id": "more"},
                {"type": 2, "style": 2, "label": "Never", "custom_id": "never"},
                {"type": 2, "style": 4, "label": "Off", "custom_id": "off", "disabled": True},
            ],
        }
        texts = {"type": 10, "content": f"## {word}\n-# small"}
        container = {"type": 17, "accent_color": 0x2DD4BF, "components": [texts, gallery, row]}
        return {"flags": 32768 | 64, "components": [container]}  # fmt: skip

    parrot.answers["find"] = lambda data: {"type": 4, "data": page_of("Page one")}
    parrot.answers["more"] = lambda data: {"type": 7, "data": page_of("Page two")}
    page = await enter("mei")
    await write(page, "/find anything")
    message = page.locator(".message.ephemeral").last
    await expect(message.get_by_role("heading", name="Page one")).to_be_visible()
    box = message.locator(".container")
    await expect(box).to_have_attribute("style", "--accent-bar: #2dd4bf;")
    await expect(box.get_by_role("button", name="Off")).to_be_disabled()
    await box.get_by_role("button", name="Never").click()
    await expect(box.get_by_role("button", name="Never")).to_have_attribute("aria-busy", "true")
    await expect(box.get_by_role("button", name="More")).to_be_disabled()
    await expect(box.locator(".press-failed")).to_have_text("The application did not respond")
    await box.get_by_role("button", name="More").click()
    await expect(message.get_by_role("heading", name="Page two")).to_be_visible()


async def test_a_select_sends_what_was_chosen(enter: Enter, parrot: Parrot) -> None:
    select = {
        "type": 3, "custom_id": "colour", "placeholder": "Which colour?",
        "options": [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}],
    }  # fmt: skip
    row = {"type": 1, "components": [select]}
    parrot.answers["find"] = lambda data: {
        "type": 4, "data": {"content": "choose", "flags": 64, "components": [row]},
    }  # fmt: skip
    parrot.answers["colour"] = lambda data: text(f"you like {data['values'][0]}", private=True)
    page = await enter("mei")
    await write(page, "/find a colour")
    await page.get_by_label("Which colour?").select_option(label="Blue")
    await expect(page.get_by_text("you like b")).to_be_visible()


async def test_a_hint_fills_the_composer(enter: Enter, parrot: Parrot) -> None:
    page = await enter("mei")
    hints = page.get_by_role("complementary", name="Things to try")
    await hints.get_by_role("button", name="/find dog in snow").click()
    await expect(page.locator("[data-option=query] input")).to_have_value("dog in snow")
    await page.keyboard.press("Escape")
    await hints.get_by_role("button", name="Right-click").click()
    await expect(page.get_by_role("menuitem", name="Apps")).to_be_visible()
    await page.keyboard.press("Escape")
    await hints.get_by_role("button", name="Close the hints").click()
    await expect(hints).to_have_count(0)
    await page.reload()
    await page.wait_for_selector(".message")
    await expect(hints).to_have_count(0)


async def test_a_form_opens_and_is_sent(enter: Enter, parrot: Parrot) -> None:
    field = {"type": 4, "custom_id": "why", "style": 1, "label": "Why?", "required": True}
    form = {"custom_id": "form", "title": "Tell me", "components": [
        {"type": 1, "components": [field]}]}  # fmt: skip
    parrot.answers["find"] = lambda data: {"type": 9, "data": form}
    parrot.answers["form"] = lambda data: text(
        "because " + data["components"][0]["components"][0]["value"], private=True
    )
    page = await enter("mei")
    await write(page, "/find a form")
    dialog = page.get_by_role("dialog", name="Tell me")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog.get_by_role("alert")).to_have_text("“Why?” is needed.")
    await dialog.get_by_role("textbox").fill("I can")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("because I can")).to_be_visible()
    await expect(dialog).to_have_count(0)


async def test_an_unknown_command_is_not_posted_by_accident(enter: Enter, parrot: Parrot) -> None:
    page = await enter("mei", village.GALLERY)
    await write(page, "/fnd dog")
    await expect(page.locator(".toast")).to_contain_text("There is no command /fnd here")
    await expect(page.locator(".message", has_text="/fnd dog")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(page.locator(".message", has_text="/fnd dog")).to_have_count(1)
