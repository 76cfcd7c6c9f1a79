"""Reading and writing: pictures, spoilers, replies, history, and changes by others."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import expect

from index.images.heif import FORMAT as HEIF
from tests.index.colours import encoded
from tests.page import village
from tests.page.conftest import Ask, Enter, write

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_text_with_markup_stays_text(enter: Enter) -> None:
    page = await enter("mei")
    message = page.locator(f"#message-{village.snowflake(103)}")
    await expect(message).to_contain_text("<script>window.hacked=1</script>")
    assert await page.evaluate("window.hacked") is None
    assert await message.locator(".content img, .content script, .content a").count() == 0


async def test_spoilers_are_covered_until_they_are_clicked(enter: Enter) -> None:
    page = await enter("mei")
    picture = page.locator(f"#message-{village.SPOILER_PICTURE} .tile")
    await expect(picture).to_have_class("tile covered")
    await expect(picture).to_have_attribute("aria-label", "Spoiler: night.png. Press to show.")
    await picture.click()
    await expect(picture).to_have_class("tile")
    await expect(page.locator(".lightbox")).to_have_count(0)  # shown, not yet enlarged
    text = page.locator(".spoiler-text")
    await expect(text.locator(".spoiler-inner")).to_be_hidden()
    await text.press("Enter")
    await expect(text.locator(".spoiler-inner")).to_be_visible()


async def test_a_picture_is_enlarged_and_esc_closes_it(enter: Enter) -> None:
    page = await enter("mei")
    await page.locator(f"#message-{village.FIRST_PICTURE} .tile").click()
    await expect(page.locator(".lightbox-picture")).to_be_visible()
    await expect(page.locator(".lightbox-caption")).to_have_text("snow.png")
    await page.keyboard.press("Escape")
    await expect(page.locator(".lightbox")).to_have_count(0)


async def test_a_posted_picture_appears_for_everyone_at_once(enter: Enter, tmp_path: Path) -> None:
    mei = await enter("mei", village.GALLERY)
    finn = await enter("finn", village.GALLERY)
    Image.new("RGB", (90, 60), "teal").save(tmp_path / "teal.png")
    await mei.locator("input[type=file][multiple]").set_input_files(tmp_path / "teal.png")
    await mei.get_by_role("button", name="Mark teal.png as a spoiler").click()
    await write(mei, "look at this")
    for page in (mei, finn):
        message = page.locator(".message", has_text="look at this")
        await expect(message.locator(".tile.covered img")).to_be_visible()
    await finn.locator(".tile.covered").click()
    loaded = "image => image.decode().then(() => image.naturalWidth === 90)"
    assert await finn.locator(".message .tile img").evaluate(loaded)


async def test_edits_deletions_and_typing_arrive_live(enter: Enter) -> None:
    mei = await enter("mei", village.GALLERY)
    finn = await enter("finn", village.GALLERY)
    await mei.locator(".composer-field").click()
    await mei.keyboard.type("a first verzion")
    await expect(finn.locator(".typing")).to_have_text("Mei is typing…")
    await mei.keyboard.press("Enter")
    await expect(finn.get_by_text("a first verzion")).to_be_visible()
    await mei.keyboard.press("ArrowUp")
    await mei.locator(".editor textarea").fill("a second version")
    await mei.keyboard.press("Enter")
    message = finn.locator(".message", has_text="a second version")
    await expect(message).to_contain_text("(edited)")
    await message.click(button="right")  # a moderator may delete it
    await finn.get_by_role("menuitem", name="Delete message").click()
    await finn.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(message).to_have_count(0)
    await expect(mei.get_by_text("a second version")).to_have_count(0)


async def test_a_member_has_no_menu_item_to_delete_others_messages(enter: Enter) -> None:
    page = await enter("mei")
    await page.locator(f"#message-{village.snowflake(102)}").click(button="right")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Delete message")).to_have_count(0)


async def test_a_reply_shows_its_original_and_leads_there(enter: Enter) -> None:
    page = await enter("finn")
    picture = page.locator(f"#message-{village.FIRST_PICTURE}")
    await picture.hover()
    await picture.get_by_role("button", name="Reply").click()
    await expect(page.locator(".reply-bar")).to_contain_text("Replying to Mei")
    await write(page, "how white, @Mei")
    reply = page.locator(".message:not(.sending)", has_text="how white")
    await expect(reply.locator(".mention")).to_have_text("@Mei")
    await reply.locator("button.above").click()
    await expect(picture).to_have_class("message first flash")


async def test_a_link_to_an_old_message_leads_to_it(enter: Enter) -> None:
    page = await enter("mei")
    await page.locator("a.jump").click()
    target = page.locator(f"#message-{village.snowflake(200)}")
    await expect(target).to_be_in_viewport()
    await expect(target).to_contain_text("chatter 0")
    await page.get_by_role("button", name="Jump to the latest").click()
    await expect(page.get_by_text(f"chatter {village.CHATTER - 1}", exact=True)).to_be_in_viewport()


async def test_scrolling_up_loads_history_and_keeps_the_place(enter: Enter) -> None:
    page = await enter("mei", village.GENERAL)
    last = page.get_by_text(f"chatter {village.CHATTER - 1}", exact=True)
    await expect(last).to_be_in_viewport()
    assert await page.get_by_text("chatter 0", exact=True).count() == 0
    scroller = page.locator(".scroller")
    before = "chatter 69"  # inside the second page, the first being 70 to 119
    for _ in range(40):
        if await page.get_by_text("chatter 0", exact=True).count():
            break
        await scroller.hover()
        await page.mouse.wheel(0, -1500)
        await page.wait_for_timeout(50)
    await expect(page.get_by_text(before, exact=True)).to_have_count(1)
    order = await page.locator(".message .content").all_inner_texts()
    assert order == [f"chatter {n}" for n in range(village.CHATTER)]
    await expect(page.get_by_role("heading", name="#general")).to_have_count(1)


async def test_a_reconnect_brings_the_missed_messages(enter: Enter, base: str) -> None:
    page = await enter("mei", village.GALLERY)
    await page.context.set_offline(True)
    other = await enter("finn", village.GALLERY)
    faults = {"kind": "gateway_drop", "who": "user"}
    response = await other.request.put(f"{base}/sandbox/faults", data=faults)
    assert response.ok, await response.text()
    await write(other, "said while you were away")
    await expect(page.locator(".banner")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_text("said while you were away")).to_be_visible()
    await expect(page.locator(".banner")).to_be_hidden()


async def test_everything_can_be_reached_by_keyboard(enter: Enter) -> None:
    page = await enter("mei")
    before_last = await page.locator(".message").nth(-2).get_attribute("id") or ""
    await page.locator(".scroller").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    focused = page.locator(".message:focus")
    await expect(focused).to_have_id(before_last)
    await page.keyboard.press("Shift+F10")
    await expect(page.get_by_role("menu", name="Message", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(focused).to_have_id(before_last)
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.locator(".chat-header h1")).to_have_text("after-dark")


async def test_reactions_are_counted_live(enter: Enter) -> None:
    mei = await enter("mei")
    finn = await enter("finn")
    message = f"#message-{village.FIRST_PICTURE}"
    await mei.locator(message).hover()
    await mei.locator(message).get_by_role("button", name="React").click()
    await mei.get_by_role("menuitem", name="👀").click()
    theirs = finn.locator(f"{message} .reaction")
    await expect(theirs).to_have_attribute("aria-label", "👀, 1")
    await theirs.click()
    await expect(mei.locator(f"{message} .reaction")).to_have_attribute("aria-label", "👀, 2")
    await mei.locator(f"{message} .reaction").click()
    await expect(theirs).to_have_attribute("aria-label", "👀, 1")
    await expect(theirs).to_have_attribute("aria-pressed", "true")


async def test_an_archived_thread_is_named_and_opens(enter: Enter, ask: Ask) -> None:
    gallery = f"/channels/{village.GALLERY}"
    thread = await ask("ada", "POST", f"{gallery}/threads", {"name": "Old news", "type": 11})
    inside = f"/channels/{thread['id']}"
    said = await ask("ada", "POST", f"{inside}/messages", {"content": "long ago"})
    await ask("ada", "PATCH", inside, {"archived": True})
    link = f"https://discord.com/channels/{village.GUILD}/{thread['id']}/{said['id']}"
    content = f"see <#{thread['id']}> or {link}, but not <#{village.MODS_ONLY}>"
    message = await ask("ada", "POST", f"{gallery}/messages", {"content": content})
    page = await enter("mei", village.GALLERY)
    row = page.locator(f"#message-{message['id']}")
    await expect(row.locator("button.mention")).to_have_text("#Old news")
    await expect(row.locator("span.mention")).to_have_text("#no-access")
    await expect(row.locator("a.jump")).to_have_text("Old news › message")
    await row.locator("a.jump").click()
    await expect(page.locator(".chat-header h1")).to_contain_text("Old news")
    await expect(page.locator(f"#message-{said['id']}")).to_be_visible()
    await page.go_back()
    await row.locator("button.mention").click()
    await expect(page.locator(".chat-header h1")).to_contain_text("Old news")
    await page.reload()  # by its address
    await expect(page.locator(f"#message-{said['id']}")).to_be_visible()


async def test_the_address_of_a_hidden_channel_is_refused(enter: Enter) -> None:
    page = await enter("mei", village.MODS_ONLY)
    await expect(page.locator(".toast")).to_contain_text("cannot see that channel, or it is gone")
    await expect(page.locator(".chat-header h1")).not_to_contain_text("mods-only")


async def test_a_poll_is_shown_and_voted_in(enter: Enter, ask: Ask) -> None:
    answers = [{"poll_media": {"text": text}} for text in ("Magpie", "Jay")]
    poll = {"question": {"text": "Which bird?"}, "answers": answers}
    path = f"/channels/{village.GALLERY}"
    message = await ask("ada", "POST", f"{path}/messages", {"poll": poll})
    mei, finn = await enter("mei", village.GALLERY), await enter("finn", village.GALLERY)
    shown = mei.locator(f"#message-{message['id']} .poll")
    await shown.get_by_role("button", name="Magpie").click()
    await expect(shown.locator("[aria-pressed=true]")).to_have_text("Magpie1")
    await shown.get_by_role("button", name="Jay").click()
    await expect(shown.locator("[aria-pressed=true]")).to_have_text("Jay1")
    others = finn.locator(f"#message-{message['id']} .poll")
    await expect(others.locator("small")).to_contain_text("1 vote · open until")
    await expect(others.locator("[aria-pressed=true]")).to_have_count(0)
    await ask("ada", "POST", f"{path}/polls/{message['id']}/expire")
    await expect(others.get_by_role("button", name="Jay")).to_be_disabled()
    await expect(finn.locator(".message.system").last).to_contain_text("poll has ended: Jay")


async def test_a_heic_photograph_is_a_file_as_in_discord(enter: Enter, tmp_path: Path) -> None:
    mei = await enter("mei")
    (tmp_path / "IMG_1.HEIC").write_bytes(encoded(Image.new("RGB", (64, 64), "teal"), HEIF))
    await mei.locator("input[type=file][multiple]").set_input_files(tmp_path / "IMG_1.HEIC")
    await write(mei, "my garden, as my phone took it")
    message = mei.locator(".message", has_text="as my phone took it")
    await expect(message.locator(".file-card")).to_contain_text("IMG_1.HEIC")
    assert await message.locator(".tile").count() == 0
