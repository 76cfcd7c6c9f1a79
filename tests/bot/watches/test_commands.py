"""`/watch add, list, pause, remove`: what they say, and the limits that they tell."""

from __future__ import annotations

import asyncio

import pytest

from bot.text import watches as text
from bot.watches import reasons
from sandbox.person import Answer, Person
from tests.bot.running import png
from tests.bot.watches.conftest import Watched


@pytest.fixture
async def finn(watched: Watched) -> Person:
    return await watched.log_in("finn")


async def listed(person: Person) -> Answer:
    return await person.command("watch", "list")


def toggles(answer: Answer) -> list[str]:
    return [str(button["label"]) for button in answer.buttons()]


async def test_the_list_shows_each_with_buttons(watched: Watched, finn: Person) -> None:
    assert "no watches" in (await listed(finn)).text()
    await watched.add(finn, "dog -snow in:#pets")
    await watched.add(finn, '"invoice"', channel=watched.channel("general"), digest="daily")
    answer = await listed(finn)
    said = answer.text()
    assert "2 of 10" in said
    assert "“dog”" in said
    assert f"in:<#{watched.channel('pets')}>" in said
    assert "“invoice”" in said
    assert f"in <#{watched.channel('general')}>" in said
    assert toggles(answer) == [text.pause(), text.pause()]
    assert [option["label"] for option in answer.menu()["options"]] == [
        "dog -snow in:#pets",
        '"invoice"',
    ]


async def test_a_watch_is_paused_goes_on_and_is_removed_from_the_list(
    watched: Watched, finn: Person
) -> None:
    ada = await watched.log_in("ada")
    await watched.add(finn)
    paused = await finn.click(await listed(finn), (await listed(finn)).buttons()[0])
    assert toggles(paused) == [text.go_on()]
    assert text.paused_by_you() in paused.text()
    await watched.post(ada, "pets")
    assert finn.direct_messages() == []
    going = await finn.click(paused, paused.buttons()[0])
    assert toggles(going) == [text.pause()]
    told = await watched.post(ada, "pets", "#20c840")
    assert watched.told(finn) == [told["id"]]
    menu = going.menu()
    empty = await finn.choose(going, menu, menu["options"][0]["value"])
    assert "no watches" in empty.text()
    await watched.post(ada, "pets", "#c8c820")
    assert watched.told(finn) == [told["id"]]


async def test_only_ones_own_watches_are_offered_and_changed(
    watched: Watched, finn: Person
) -> None:
    ada = await watched.log_in("ada")
    await watched.add(finn, "a secret wish")
    assert await ada.suggestions("watch", "watch", "", subcommand="remove") == []
    (offered,) = await finn.suggestions("watch", "watch", "SECRET", subcommand="remove")
    assert offered["name"] == "a secret wish"
    for command in ("pause", "remove"):
        refused = await ada.command("watch", command, watch=offered["value"])
        assert "no such watch" in refused.text()
        assert "secret" not in refused.text()
    paused = await finn.command("watch", "pause", watch=offered["value"])
    assert "Paused" in paused.text()
    going = await finn.command("watch", "pause", watch=offered["value"])
    assert "again" in going.text()
    gone = await finn.command("watch", "remove", watch=offered["value"])
    assert "Removed" in gone.text()
    assert await finn.suggestions("watch", "watch", "", subcommand="pause") == []


async def test_a_member_and_a_server_have_so_many_and_are_told(
    watched: Watched, finn: Person
) -> None:
    limits = watched.scene.magpie.limits
    limits.watches_of_member, limits.watches_of_server = 2, 3
    mod = await watched.log_in("mod")
    for number in range(2):
        await watched.add(finn, f"has:image dog {number}")
    assert text.too_many_of_member(2) in (await watched.add(finn)).text()
    await watched.add(mod)
    assert text.too_many_of_server(3) in (await watched.add(mod)).text()


async def test_those_that_are_added_at_once_are_counted_too(watched: Watched, finn: Person) -> None:
    watched.scene.magpie.limits.watches_of_member = 2
    await asyncio.gather(*(watched.add(finn, f"in:#pets {number}") for number in range(6)))
    assert "2 of 2" in (await listed(finn)).text()


@pytest.mark.parametrize("typed", ["dog", "0", "9" * 18, "9" * 19, "9" * 400])
async def test_what_names_no_watch_is_refused(finn: Person, watched: Watched, typed: str) -> None:
    await watched.add(finn)
    for command in ("pause", "remove"):
        assert text.no_such_watch() in (await finn.command("watch", command, watch=typed)).text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"query": "show:everyone"}, text.nothing_to_watch()),
        ({"query": "dog before:2020"}, text.is_over()),
        ({"query": "-snow"}, "A minus only says"),
        ({"query": "dog in:#mods"}, "I know no channel"),
        ({"query": "dog has:nonsense"}, "nonsense"),
        ({"query": "dog", "quiet": "at night"}, text.no_such_hours()),
        ({"query": "dog", "quiet": "7-7"}, text.no_such_hours()),
        ({"query": "dog", "zone": "Atlantis"}, text.no_such_zone()),
        ({"query": "dog", "zone": "UTC+5:30"}, text.no_such_zone()),
    ],
)
async def test_what_can_not_be_watched_is_told(
    watched: Watched, finn: Person, options: dict[str, str], said: str
) -> None:
    answer = await finn.command("watch", "add", **options)
    assert said in answer.text()
    assert "no watches" in (await listed(finn)).text()


async def test_notices_go_only_where_the_member_may_write(watched: Watched, finn: Person) -> None:
    scene = watched.scene
    everyone = str(scene.nest.world.guild_id)
    olga = await watched.log_in("olga")
    place = watched.channel("pets")
    only_reading = {"type": 0, "allow": "0", "deny": str(1 << 11)}
    await olga.request("PUT", f"/channels/{place}/permissions/{everyone}", json=only_reading)

    answer = await watched.add(finn, channel=place)
    assert text.you_may_not_write(f"<#{place}>") in answer.text()
    assert "direct message" in (await watched.add(finn)).text()


async def test_a_picture_can_be_watched_with(watched: Watched, finn: Person) -> None:
    ada = await watched.log_in("ada")
    few = {f"{number}.png": png(f"#c8{number:02x}1e") for number in range(10)}
    await ada.post(watched.channel("pets"), pictures=few)
    await watched.settled()  # a picture is judged beside what is indexed by then
    answer = await finn.command("watch", "add", image=("green.png", png("#10f030")))
    assert "this picture" in answer.text()
    green = await watched.post(ada, "pets", "#10f031")
    assert watched.told(finn) == [green["id"]]


async def test_quiet_hours_and_a_digest_are_told_in_words(watched: Watched, finn: Person) -> None:
    (zone, *_) = await finn.suggestions("watch", "zone", "berl", subcommand="add")
    assert zone["value"] == "Europe/Berlin"
    answer = await watched.add(finn, quiet="22-6:30", zone="europe/berlin", digest="daily")
    assert "Nothing comes from 22:00 to 06:30 (Europe/Berlin)." in answer.text()
    assert "once a day at 18:00 (Europe/Berlin)" in answer.text()


async def test_a_zone_is_read_as_people_say_it_and_is_not_ignored(
    watched: Watched, finn: Person
) -> None:
    unused = await watched.add(finn, "dog", zone="Paris")
    assert text.zone_unused("Europe/Paris") in unused.text()
    used = await watched.add(finn, "cat", zone="UTC+2", quiet="10pm-7am")
    assert "Nothing comes from 22:00 to 07:00 (UTC+2)." in used.text()
    assert text.zone_unused("UTC+2") not in used.text()
    (offered, *_) = await finn.suggestions("watch", "zone", "utc+2", subcommand="add")
    assert offered["value"] == "UTC+2"


@pytest.mark.parametrize("again", ["Dog in:#pets", "in:#pets dog"])
async def test_the_same_watch_is_not_added_twice(
    watched: Watched, finn: Person, again: str
) -> None:
    await watched.add(finn, "dog in:#pets")
    refused = (await watched.add(finn, again, quiet="22-7")).text()
    assert "You have this watch already: “dog”" in refused
    assert "1 of 10" in (await listed(finn)).text()
    await watched.add(finn, "dog in:#pets", channel=watched.channel("general"))
    await watched.add(finn, "dog")
    assert "3 of 10" in (await listed(finn)).text()


async def test_the_same_picture_is_not_watched_with_twice(watched: Watched, finn: Person) -> None:
    for colour, said in (("#10f030", "I watch"), ("#10f030", "already"), ("#c81e1e", "I watch")):
        answer = await finn.command("watch", "add", image=("one.png", png(colour)))
        assert said in answer.text()


async def test_notices_may_go_to_a_thread_that_is_archived(watched: Watched, finn: Person) -> None:
    ada = await watched.log_in("ada")
    thread = watched.channel("old walks")
    answer = await watched.add(finn, "in:#pets", channel=thread)
    assert f"<#{thread}>" in answer.text()
    await watched.post(ada, "pets")
    (notice,) = await ada.messages(thread, limit=1)
    assert text.public_notice(f"<@{finn.user['id']}>", "").split(",")[0] in str(notice)


async def test_a_thread_that_is_locked_or_not_seen_is_refused(
    watched: Watched, finn: Person
) -> None:
    olga = await watched.log_in("olga")
    thread = watched.channel("old walks")
    await olga.request("PATCH", f"/channels/{thread}", json={"archived": True, "locked": True})
    refused = await watched.add(finn, channel=thread)
    assert text.you_may_not_write(f"<#{thread}>") in refused.text()


async def test_every_answer_says_that_watches_have_stopped(watched: Watched, finn: Person) -> None:
    await watched.add(finn, "dog")
    magpie, guild = watched.scene.magpie, watched.scene.nest.world.guild_id
    (watch,) = await magpie.gallery.watches.of_owner(guild, int(finn.user["id"]))
    await magpie.writer.pause_watch(watch.id, reasons.CLOSED_DMS)
    stopped = "1 watch of yours has stopped."
    assert stopped in (await watched.add(finn, "cat")).text()
    (cat, *_) = await finn.suggestions("watch", "watch", "cat", subcommand="remove")
    assert stopped in (await finn.command("watch", "remove", watch=cat["value"])).text()
    going = await finn.command("watch", "pause", watch=str(watch.id))
    assert stopped not in going.text()
