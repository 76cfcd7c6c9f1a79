"""Who is told of a new picture, and who isn't."""

from __future__ import annotations

import math

import pytest

from bot.languages.speech import speaking
from bot.ops.tuning import Clocks
from bot.text import watches as text
from checks.chaos.notices import EVERYTHING
from index import Notice
from tests.bot.ask.test_last_look import close, delete
from tests.bot.conftest import on_both_stores
from tests.bot.drawings import cropped, drawing, file
from tests.bot.running import idle, png, sources, until, watch
from tests.bot.watches.conftest import Watched, links

LONG_S = 1e6  # what is found waits for so long


async def test_a_member_is_told_of_a_new_picture_and_the_way_to_it(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    said = await watched.add(finn, "in:#pets")
    assert "direct message" in said.text()
    posted = await watched.post(ada, "pets")
    (notice,) = finn.direct_messages()
    assert links(notice) == [posted["id"]]
    assert len(notice.pictures()) == 1
    assert "The Nest" in notice.text()
    assert ada.direct_messages() == []


async def test_a_notice_is_in_the_language_of_its_member(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await finn.speak("de")
    await watched.add(finn)
    await watched.post(ada, "pets")
    (notice,) = finn.direct_messages()
    with speaking("de"):
        assert notice.button(text.pause_this())
        assert text.on_server(watched.scene.magpie.guilds[0].name) in notice.text()


async def test_no_one_is_told_of_their_own_picture(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    for person in (finn, ada):
        await watched.add(person)
    await watched.post(finn, "general")
    assert finn.direct_messages() == []
    assert len(ada.direct_messages()) == 1


@on_both_stores
async def test_everybody_is_told_of_what_they_can_read_and_of_nothing_else(
    watched: Watched,
) -> None:
    people = {name: await watched.log_in(name) for name in ("finn", "ada", "mod")}
    olga = await watched.log_in("olga")
    for person in people.values():
        await watched.add(person)
    posted = {}
    for place in ("general", "birding", "mods", "after dark", "whispers", "no history", "lounge"):
        posted[place] = (await watched.post(olga, place, f"#2040{len(posted):02x}"))["id"]
    readers = {
        "finn": {"general", "whispers", "lounge"},
        "ada": {"general", "birding", "lounge"},
        "mod": {"general", "mods", "whispers", "lounge"},
    }
    for name, places in readers.items():
        assert set(watched.told(people[name])) == {posted[place] for place in places}


async def test_who_loses_the_channel_before_the_notice_leaves_is_not_told(
    watched: Watched, clocks: Clocks
) -> None:
    ada, olga = await watched.log_in("ada"), await watched.log_in("olga")
    await watched.add(ada)
    clocks.notices_s = LONG_S  # the notice waits
    posted = await olga.post(watched.channel("birding"), pictures={"a.png": png("#2040c8")})
    await waits(watched)
    guild, birder = watched.scene.nest.world.guild_id, ada.user["id"]
    role = watched.scene.nest.world.roles["Birders"]
    await olga.request("DELETE", f"/guilds/{guild}/members/{birder}/roles/{role}")
    await let_go(watched)
    assert posted["id"] not in watched.told(ada)
    assert ada.direct_messages() == []


async def test_nothing_is_sent_for_what_was_deleted_meanwhile(
    watched: Watched, clocks: Clocks
) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    clocks.notices_s = LONG_S
    for_good = await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    other = await ada.post(watched.channel("pets"), pictures={"a.png": png("#20c840")})
    await waits(watched, 2)
    await delete(watched.scene, "pets", int(for_good["id"]))
    await let_go(watched)
    assert watched.told(finn) == [other["id"]]


async def test_nothing_is_sent_for_what_was_deleted_while_no_event_told_it(
    watched: Watched, clocks: Clocks
) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    clocks.notices_s = LONG_S
    posted = await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    await waits(watched)
    watched.scene.server.strike("gateway_miss", event="MESSAGE_DELETE")
    await ada.request("DELETE", f"/channels/{posted['channel_id']}/messages/{posted['id']}")
    await let_go(watched)
    assert finn.direct_messages() == []


async def test_a_copy_of_what_was_told_is_not_told_again(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    original = drawing(1)
    first = await ada.post(watched.channel("pets"), pictures={"a.png": file(original)})
    await watched.settled()
    for image in (original, cropped(original)):
        await ada.post(watched.channel("general"), pictures={"a.png": file(image)})
        await watched.settled()
    assert watched.told(finn) == [first["id"]]
    other = await ada.post(watched.channel("general"), pictures={"a.png": file(drawing(2))})
    await watched.settled()
    assert watched.told(finn) == [first["id"], other["id"]]


@pytest.mark.parametrize("deleted", [False, True])
@on_both_stores
async def test_copies_that_wait_are_told_once_whatever_is_deleted(
    watched: Watched, deleted: bool
) -> None:
    """Of two that wait beside each other, the second is told of if the first is deleted."""
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn, digest="daily")
    original = drawing(1)
    first = await ada.post(watched.channel("pets"), pictures={"a.png": file(original)})
    await waits(watched, 1)
    copy = {"a.png": file(cropped(original))}
    second = await ada.post(watched.channel("general"), pictures=copy)
    await waits(watched, 2)
    if deleted:
        await ada.request("DELETE", f"/channels/{first['channel_id']}/messages/{first['id']}")
        await idle(watched.scene.magpie)
    await let_go(watched)
    assert watched.told(finn) == [(second if deleted else first)["id"]]


async def test_a_copy_in_a_closed_channel_keeps_nobody_from_being_told(watched: Watched) -> None:
    finn, mod = await watched.log_in("finn"), await watched.log_in("mod")
    await watched.add(finn)
    await watched.post(mod, "mods")
    posted = await watched.post(mod, "pets")
    assert watched.told(finn) == [posted["id"]]


async def test_history_tells_nobody(watched: Watched, clocks: Clocks) -> None:
    """Neither a backfill nor a second reading, however new its pictures are."""
    clocks.new_s = math.inf
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    magpie = watched.scene.magpie
    pets = int(watched.channel("pets"))
    await magpie.erasure.erase_group(magpie.guilds[0].id, pets)
    await watched.add(finn)
    await watch(magpie, pets)
    assert watched.scene.nest.messages["pets"]
    olga = await watched.log_in("olga")
    await olga.command("reindex", what="everything")
    await watched.settled()
    assert finn.direct_messages() == []
    await watched.post(ada, "pets")
    assert len(finn.direct_messages()) == 1


async def test_a_watch_for_everything_tells_of_what_moves_too(watched: Watched) -> None:
    """Chaos watches so, and counts what was not told."""
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn, EVERYTHING)
    pictures = {"a.gif": file(drawing(1), "GIF"), "b.png": png("#2040c8")}
    await ada.post(watched.channel("pets"), pictures=pictures)
    await watched.settled()
    assert len(watched.told(finn)) == len(pictures)


async def test_a_picture_of_this_moment_is_told_though_a_reindex_finds_it_first(
    watched: Watched,
) -> None:
    """Its event is late, or the bot was away and hasn't caught up yet."""
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    olga = await watched.log_in("olga")
    await watched.add(finn)
    watched.scene.server.strike("gateway_miss", event="MESSAGE_CREATE")
    posted = await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    await olga.command("reindex", what="missing")

    async def is_told() -> bool:
        return watched.told(finn) == [posted["id"]]

    await until(is_told)


async def test_a_picture_of_this_moment_is_told_though_history_brings_it_first(
    watched: Watched,
) -> None:
    """The first page of a channel has it, and its event comes after that page. Once is enough."""
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    magpie, gateway = watched.scene.magpie, watched.scene.server.core.gateway
    pets = int(watched.channel("pets"))
    await watched.add(finn)
    await magpie.erasure.erase_group(magpie.guilds[0].id, pets)
    watched.scene.server.strike("gateway_miss", event="MESSAGE_CREATE")
    posted = await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    await watch(magpie, pets)
    await watched.settled()
    assert posted["id"] in await sources(magpie, pets)
    assert finn.direct_messages() == []
    [session] = [one for one in gateway.sessions.values() if one.user.bot]
    for _ in range(2):
        session.add("MESSAGE_CREATE", posted | {"guild_id": str(magpie.guilds[0].id)})
        await watched.post(ada, "general", "#20c840")
    assert watched.told(finn).count(posted["id"]) == 1


async def test_a_notice_of_a_spoiler_hides_it(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn, "in:#pets")
    await ada.post(watched.channel("pets"), pictures={"SPOILER_a.png": png("#2040c8")})
    await watched.settled()
    ((picture,),) = [notice.pictures() for notice in finn.direct_messages()]
    assert picture["spoiler"]


async def test_in_a_channel_only_what_everybody_there_may_read_is_told(watched: Watched) -> None:
    ada, olga = await watched.log_in("ada"), await watched.log_in("olga")
    said = await watched.add(ada, "has:image", channel=watched.channel("general"))
    assert "everyone in that channel may see" in said.text()
    await watched.post(olga, "birding")
    open_to_all = await watched.post(olga, "pets", "#20c840")
    mine = str(watched.scene.nest.world.bot_id)
    messages = await ada.messages(watched.channel("general"))
    (notice,) = [message for message in messages if message["author"]["id"] == mine]
    assert open_to_all["id"] in str(notice["components"])
    assert [user["id"] for user in notice["mentions"]] == [ada.user["id"]]
    assert ada.direct_messages() == []


async def test_only_what_all_its_readers_may_read_waits(watched: Watched, clocks: Clocks) -> None:
    """What is closed to some must not even take a place among what waits."""
    ada, finn, olga = [await watched.log_in(name) for name in ("ada", "finn", "olga")]
    await watched.add(ada, channel=watched.channel("general"))
    await watched.add(finn)
    clocks.notices_s = LONG_S
    for place, colour in (("birding", "#2040c8"), ("pets", "#20c840")):
        posted = await olga.post(watched.channel(place), pictures={"a.png": png(colour)})
    await waits(watched, 2)
    notices = [one.link for waiting_ in (await waiting(watched)).values() for one in waiting_]
    space = watched.scene.nest.world.guild_id
    there = await watched.scene.magpie.gallery.links.with_ids(space, notices)
    assert {link.source for link, *_ in there.values()} == {posted["id"]}


async def test_what_is_closed_to_some_of_a_channel_before_the_notice_leaves_is_not_told(
    watched: Watched, clocks: Clocks
) -> None:
    """Ada may still read it, but not everybody in #general."""
    ada, olga = await watched.log_in("ada"), await watched.log_in("olga")
    await watched.add(ada, "has:image", channel=watched.channel("general"))
    clocks.notices_s = LONG_S
    await olga.post(watched.channel("pets"), pictures={"a.png": png("#20c840")})
    await waits(watched)
    await close(watched.scene, "pets", but_to=("Birders", "Magpie"))
    before = await ada.messages(watched.channel("general"))
    await let_go(watched)
    assert await ada.messages(watched.channel("general")) == before


async def test_words_that_were_asked_for_are_not_told_of_channels(watched: Watched) -> None:
    """What a watch is limited to may name a channel that not everybody knows."""
    ada, olga = await watched.log_in("ada"), await watched.log_in("olga")
    await watched.add(ada, "red -in:#birding", channel=watched.channel("general"))
    await watched.post(olga, "pets")
    mine = str(watched.scene.nest.world.bot_id)
    messages = await ada.messages(watched.channel("general"))
    (notice,) = [message for message in messages if message["author"]["id"] == mine]
    assert watched.channel("birding") not in str(notice["components"])


async def test_pictures_that_come_together_are_told_together(
    watched: Watched, clocks: Clocks
) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    clocks.notices_s = LONG_S
    colours = ("#2040c8", "#20c840", "#c8c820")
    posted = [
        await ada.post(watched.channel("pets"), pictures={"a.png": png(colour)})
        for colour in colours
    ]
    await waits(watched, 3)
    await let_go(watched)
    assert {id for notice in finn.direct_messages() for id in links(notice)} == {
        message["id"] for message in posted
    }
    assert len(finn.direct_messages()) == 1


async def test_a_click_below_a_notice_pauses_its_watch(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn, "in:#pets")
    await watched.post(ada, "pets")
    (notice,) = finn.direct_messages()
    said = await finn.click(notice, notice.button(text.pause_this()))
    assert "Paused" in said.text()
    await watched.post(ada, "pets", "#20c840")
    assert len(watched.told(finn)) == 1


async def waits(watched: Watched, count: int = 1) -> None:
    """Wait until so many pictures wait to be told."""
    magpie = watched.scene.magpie
    await idle(magpie)

    async def are_there() -> bool:
        return sum(map(len, (await waiting(watched)).values())) >= count

    await until(are_there)


async def waiting(watched: Watched) -> dict[int, list[Notice]]:
    return await watched.scene.magpie.gallery.watches.due(math.inf)


async def let_go(watched: Watched) -> None:
    """Let what waits be told now."""
    writer = watched.scene.magpie.writer
    for notices in (await waiting(watched)).values():
        await writer.put_off(notices, 0.0)
    writer.to_tell.set()
    await watched.settled()
