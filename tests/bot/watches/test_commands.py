"""`/watch add, list, pause, remove`: what they say, and the limits that they tell."""

from __future__ import annotations

import asyncio

import pytest

from bot.text import watches as text
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
    for _ in range(2):
        await watched.add(finn)
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
