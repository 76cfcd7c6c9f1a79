"""The committed demo world: complete, small, with all kinds of channels and posts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from demo import FOLDER as DEMO
from index.ocr.installed import installed
from index.ocr.transcriber import Transcriber
from index.transcripts.terms import terms
from pocket.scenes import Spot
from pocket.screenshots import CHATS, DIALOGS, MEMES
from pocket.world import (
    BOT,
    PEOPLE,
    VIEW,
    ScriptError,
    central,
    read_script,
    read_shot,
)
from sandbox.worldfile import load

World = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> World:
    found: World = json.loads((DEMO / "world.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def guild(world: World) -> World:
    found: World = world["guilds"][0]
    return found


def named(guild: World, name: str) -> World:
    return next(channel for channel in guild["channels"] if channel["name"] == name)


def test_sandbox_reads_the_world() -> None:
    world = load(DEMO / "world.json")
    assert world.application.name == "Magpie"


def test_hundreds_of_pictures_in_few_megabytes(guild: World) -> None:
    attached = sum(len(message["attachments"]) for message in guild["messages"])
    size = sum(file.stat().st_size for file in DEMO.rglob("*") if file.is_file())
    assert attached >= 320
    assert size <= 8_000_000
    assert (DEMO / "LICENSES.md").read_text("utf-8").count("CC BY 4.0") == 1


def test_every_picture_is_complete_and_labelled() -> None:
    labels = json.loads((DEMO / "labels.json").read_text("utf-8"))
    files = {str(file.relative_to(DEMO)) for file in (DEMO / "pictures").iterdir()}
    assert set(labels) == files
    for file in files:
        with Image.open(DEMO / file) as image:
            image.load()
            assert min(image.size) >= 200
        assert labels[file]["subjects"]
        assert labels[file]["places"]


def test_channels_of_every_kind(guild: World) -> None:
    kinds = Counter(channel["type"] for channel in guild["channels"])
    assert kinds[0] >= 8
    assert kinds[4] >= 2
    assert kinds[15] == 1
    assert sum(channel["nsfw"] for channel in guild["channels"]) == 1
    threads = guild["threads"]
    assert {thread["type"] for thread in threads} == {11, 12}
    assert any(thread["archived"] for thread in threads)
    posts = [t for t in threads if t["parent_id"] == named(guild, "show-and-tell")["id"]]
    assert len(posts) >= 3


def test_posts_of_every_kind(guild: World) -> None:
    messages = guild["messages"]
    assert any(len(message["attachments"]) > 1 for message in messages)
    assert any(a["spoiler"] for message in messages for a in message["attachments"])
    assert any(a["file"].endswith(".gif") for message in messages for a in message["attachments"])
    for kind in ("embeds", "components", "sticker_ids", "reply_to", "forward_of", "reactions"):
        assert any(message[kind] for message in messages), kind
    assert any(message["pinned"] for message in messages)


def test_closed_channels_are_visible_to_some_only(guild: World) -> None:
    for name in ("mods-only", "explorers-room"):
        overwrites = {one["id"]: one for one in named(guild, name)["permission_overwrites"]}
        assert int(overwrites[guild["id"]]["deny"]) & VIEW
        magpie = next(role["id"] for role in guild["roles"] if role["name"] == "Magpie")
        assert int(overwrites[magpie]["allow"]) & BOT == BOT
    assert "Explorers" not in PEOPLE["pim"][3]


def test_ids_are_in_order_of_time_and_unique(world: World, guild: World) -> None:
    ids = [int(message["id"]) for message in guild["messages"]]
    assert ids == sorted(set(ids))
    others = [int(one["id"]) for key in ("roles", "channels", "threads") for one in guild[key]]
    people = [int(user["id"]) for user in world["users"]]
    assert len(set(others + people)) == len(others) + len(people)


def test_answers_follow_what_they_answer(guild: World) -> None:
    by_id = {message["id"]: message for message in guild["messages"]}
    for message in guild["messages"]:
        if message["reply_to"]:
            asked = by_id[message["reply_to"]]
            assert int(asked["id"]) < int(message["id"])
            assert asked["channel_id"] == message["channel_id"]


def test_script_is_read_and_its_errors_are_named(tmp_path: Path) -> None:
    assert len(read_script()) >= 15
    bad = tmp_path / "bad.txt"
    bad.write_text("=== general | 2026-01-05 | 2026-02-01\nnobody | dog@snow | hello\n")
    with pytest.raises(ScriptError, match=r"bad\.txt, line 2: nobody is called nobody"):
        read_script(bad)


def test_pictures_of_the_script_are_read() -> None:
    shot = read_shot("!dog+cat*3~red^@night/snow;HI_THERE;YOU", {"dog": 4, "cat": 9})
    assert shot.scene.subjects == (4, 9)
    assert (shot.scene.count, shot.scene.colour) == (3, "red")
    assert shot.scene.places == ("snow", "night")
    assert shot.spoiler
    assert shot.floating
    assert shot.meme == ("HI THERE", "YOU")
    with pytest.raises(ScriptError, match="no subject is called unicycle"):
        read_shot("unicycle@snow", {})


def test_drawings_are_inside_the_part_that_a_clip_sees() -> None:
    spot = central(Spot(0.5, 1.0, 0.5), (480, 360))
    assert spot == Spot(0.5, 1.0, 0.5)
    edge = central(Spot(0.0, 1.0, 0.5), (480, 360))
    assert edge.x == pytest.approx(60 / 480)
    tall = central(Spot(0.5, 1.0, 1.0), (300, 400))
    assert (tall.foot, tall.side) == (pytest.approx(350 / 400), pytest.approx(300 / 400))


@pytest.mark.skipif(not installed(), reason="the extra ocr isn't installed")
@pytest.mark.slow
async def test_words_of_memes_and_screenshots_are_read() -> None:
    reader = Transcriber()
    try:
        read = {
            name: " ".join(await reader.read((DEMO / "screenshots" / name).read_bytes()))
            for name in (*MEMES, *CHATS, *DIALOGS)
        }
    finally:
        await reader.close()
    for name, (_, words) in MEMES.items():
        assert terms(read[name]) == terms(" ".join(words))  # a star is read as a dot
    for name, said in CHATS.items():
        assert all(words in read[name] for _, words in said), read[name]
    for name, words in DIALOGS.items():
        assert read[name] == " ".join(words)


def test_pictures_with_words_are_in_an_open_and_a_closed_channel(guild: World) -> None:
    posted = {
        message["channel_id"]
        for message in guild["messages"]
        for attachment in message["attachments"]
        if attachment["file"].startswith("screenshots/")
    }
    assert posted == {named(guild, "memes")["id"], named(guild, "mods-only")["id"]}
