"""Overviews, as members get them: made from what they may read, and from nothing else."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import discord
import pytest
from PIL import Image

from bot.overview import cards, overviews
from bot.text import answers as answer_text
from bot.text import overview as text
from index import Cluster, Overview
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import Scene
from tests.bot.ask.nest import EVERYBODYS, READERS
from tests.bot.running import PATIENCE_S, idle, until

COUNT = re.compile(r"-# ([\d,]+) pictures?")


async def overview(
    scene: Scene, person: Person, where: str = "general", show: str = "only me"
) -> Answer:
    return await person.command("overview", where=scene.channel(where), show=show)


def counted(answer: Answer) -> int:
    found = COUNT.search(answer.text())
    assert found is not None
    return int(found[1].replace(",", ""))


def clusters(answer: Answer) -> list[int]:
    """How many pictures each cluster of an answer has."""
    found = re.findall(r"^\*\*\d+ · .+?\*\* · ([\d,]+) pictures?", answer.text(), re.M)
    return [int(count.replace(",", "")) for count in found]


def drawn(answer: Answer) -> dict[str, str]:
    """The pictures that are attached to an answer, by name, each with its words."""
    items = [
        item
        for part in answer.message["components"][0]["components"]
        for item in part.get("items", ())
    ]
    names = [PurePosixPath(urlsplit(item["media"]["url"]).path).name for item in items]
    return {name: item["description"] for name, item in zip(names, items, strict=True)}


@pytest.mark.parametrize("name", READERS)
async def test_each_member_is_told_of_what_they_may_read_and_of_nothing_else(
    scene: Scene, name: str
) -> None:
    answer = await overview(scene, await scene.log_in(name))
    assert answer.private
    assert counted(answer) == sum(clusters(answer)) == len(READERS[name])


async def test_a_public_overview_tells_only_what_everybody_there_may_read(scene: Scene) -> None:
    """It holds no drawn picture, which would stay when its messages are deleted."""
    answer = await overview(scene, await scene.log_in("olga"), show="everyone")
    assert not answer.private
    assert counted(answer) == len(EVERYBODYS)
    assert len(drawn(answer)) == len(clusters(answer))
    assert not {cards.SHEET, cards.ATLAS} & set(drawn(answer))
    assert text.public_shows_no_map() in answer.text()


async def test_a_private_overview_has_a_contact_sheet_and_a_map_with_words_for_both(
    scene: Scene,
) -> None:
    olga = await scene.log_in("olga")
    answer = await overview(scene, olga)
    assert list(drawn(answer)) == [cards.SHEET, cards.ATLAS]
    assert all(drawn(answer).values())


async def test_the_menu_shows_the_pictures_of_a_cluster(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    answer = await overview(scene, olga)
    menu = answer.menu()
    page = await olga.choose(answer, menu, menu["options"][0]["value"])
    assert page.private
    name = menu["options"][0]["label"].partition(" · ")[2]
    assert page.text().startswith(f"### {answer_text.cluster(name, first=True)}")
    assert scene.places(scene.shown(page)) <= READERS["olga"]
    assert scene.shown(page)


async def test_the_menu_of_a_public_overview_shows_each_member_what_they_may_read(
    scene: Scene,
) -> None:
    answer = await overview(scene, await scene.log_in("olga"), show="everyone")
    finn, menu = await scene.log_in("finn"), answer.menu()
    page = await finn.choose(answer, menu, menu["options"][0]["value"])
    assert page.private
    assert scene.places(await scene.all_shown(finn, page)) <= READERS["finn"]


async def test_what_is_deleted_while_it_is_made_is_not_drawn(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, drawings, gone = await scene.log_in("olga"), [], []
    draw, stills = overviews.drawn, scene.magpie.overviews._thumbnails.stills

    def noted(of: Overview, pictures: dict[int, bytes]) -> dict[str, bytes]:
        drawings.append(set(pictures))
        return draw(of, pictures)

    async def meanwhile(shown: Any) -> dict[int, bytes]:
        made, hit = await stills(shown), shown[0].hit
        gone.append(hit.id)
        path = f"/channels/{hit.link.group.id}/messages/{hit.link.source}"
        await olga.request("DELETE", path)
        await until(lambda: is_gone(scene, int(hit.link.source)))
        return made

    monkeypatch.setattr(overviews, "drawn", noted)
    monkeypatch.setattr(scene.magpie.overviews._thumbnails, "stills", meanwhile)
    await overview(scene, olga)
    assert gone
    assert drawings
    assert all(gone[0] not in links for links in drawings)


async def test_the_loop_goes_on_while_an_overview_is_drawn(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, draw, went_on = asyncio.get_running_loop(), overviews.drawn, threading.Event()

    def waiting(of: Overview, pictures: dict[int, bytes]) -> dict[str, bytes]:
        loop.call_soon_threadsafe(went_on.set)
        assert went_on.wait(PATIENCE_S)
        return draw(of, pictures)

    monkeypatch.setattr(overviews, "drawn", waiting)
    answer = await overview(scene, await scene.log_in("olga"))
    assert list(drawn(answer)) == [cards.SHEET, cards.ATLAS]


async def test_who_waits_reads_how_many_overviews_are_made_before_theirs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of who waits. The overview takes the place of these words."""
    olga, ada = await scene.log_in("olga"), await scene.log_in("ada")
    read, stills = list[str](), scene.magpie.overviews._thumbnails.stills
    made, going = asyncio.Event(), asyncio.Event()

    async def slow(shown: Any) -> dict[int, bytes]:
        made.set()
        await going.wait()
        return await stills(shown)

    edit = discord.Interaction.edit_original_response

    async def noted(self: Any, **what: Any) -> Any:
        read.append(what.get("content"))
        going.set()
        return await edit(self, **what)

    monkeypatch.setattr(scene.magpie.overviews._thumbnails, "stills", slow)
    first = asyncio.create_task(overview(scene, olga))
    await made.wait()
    monkeypatch.setattr(discord.Interaction, "edit_original_response", noted)
    told = await overview(scene, ada)
    assert told.message["content"] == text.before_yours(1)
    assert told.private
    id = told.message["id"]
    made_of = await ada.event(
        "MESSAGE_UPDATE", where=lambda of: of["id"] == id and bool(of["components"])
    )
    assert not made_of["content"]
    assert counted(Answer(made_of)) == len(READERS["ada"])
    assert text.before_yours(1) in read
    await first


def filter_space(scene: Scene) -> int:
    return scene.nest.world.guild_id


async def is_gone(scene: Scene, message: int) -> bool:
    return not await scene.magpie.gallery.links.slots(filter_space(scene), str(message))


async def test_a_channel_that_is_closed_while_it_is_made_is_not_told_of(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts pictures of that channel, so it is not sent."""
    olga, ada = await scene.log_in("olga"), await scene.log_in("ada")
    thumbnails, birding = scene.magpie.overviews._thumbnails, scene.channel("birding")
    stills = thumbnails.stills

    async def closed() -> bool:
        channel = scene.magpie.get_channel(int(birding))
        assert isinstance(channel, discord.TextChannel)
        return len(channel.overwrites) == 1

    async def meanwhile(shown: Any) -> dict[int, bytes]:
        made = await stills(shown)
        everyone = {"id": str(filter_space(scene)), "type": 0, "allow": "0", "deny": str(1 << 10)}
        await olga.request(
            "PATCH", f"/channels/{birding}", json={"permission_overwrites": [everyone]}
        )
        await until(closed)
        return made

    monkeypatch.setattr(thumbnails, "stills", meanwhile)
    answer = await overview(scene, ada)
    assert text.changed_meanwhile() in answer.text()
    assert COUNT.search(answer.text()) is None


async def test_spoilers_are_not_drawn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    olga, shown = await scene.log_in("olga"), []
    picture = ("SPOILER_green.png", scene_png())
    posted = await olga.post(scene.channel("general"), pictures=dict([picture]))
    await idle(scene.magpie)  # a link is in the file before a search finds it
    stills = scene.magpie.overviews._thumbnails.stills

    async def seen(hits: Any) -> dict[int, bytes]:
        shown.extend(int(one.hit.link.source) for one in hits)
        return await stills(hits)

    monkeypatch.setattr(scene.magpie.overviews._thumbnails, "stills", seen)
    answer = await overview(scene, olga)
    assert counted(answer) == len(READERS["olga"]) + 1
    assert shown
    assert int(posted["id"]) not in shown


def scene_png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "green").save(out, "PNG")
    return out.getvalue()


async def test_nothing_of_an_overview_is_kept(scene: Scene) -> None:
    """Neither in the file nor in a saved search; its menu holds what a click needs."""
    olga = await scene.log_in("olga")
    answer = await overview(scene, olga)
    bookkeeping = scene.magpie.gallery.bookkeeping
    owner = scene.nest.world.people["olga"]
    assert await bookkeeping.searches_of(filter_space(scene), owner) == []
    values = [option["value"] for option in answer.menu()["options"]]
    assert all(cards.links_in(value) for value in values)


@pytest.mark.parametrize("value", ["", "1", "1,x", "1,-3", "1," + "9" * 30, json.dumps([1])])
def test_a_forged_option_names_no_link(value: str) -> None:
    assert cards.links_in(value) == ()


def test_an_option_has_as_much_of_the_name_as_fits() -> None:
    links, words = (10**18, 10**18 + 1, 10**18 + 2), ("dog", "w" * 60)
    value = cards._option(3, Cluster(words, 5, {}, links, (0.0, 0.0)))
    assert len(value) <= cards.MAX_OPTION
    assert cards.links_in(value) == links
    assert cards.name_in(value) == "dog"
    assert cards.name_in("1,2,3") == text.name(())
