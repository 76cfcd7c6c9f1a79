"""What is offered while somebody types `/find`, and what never is."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.ask import suggestions
from bot.ops.tuning import Clocks, Limits
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.ask import flock
from tests.bot.ask.conftest import Scene
from tests.bot.ask.nest import Nest
from tests.bot.conftest import LogIn
from tests.bot.running import idle, png, quick_clocks, running


@pytest.fixture
def clocks() -> Clocks:
    return quick_clocks(typing_s=0.0)  # what was erased is gone at once


@pytest.fixture
def nest(tmp_path: Path) -> Nest:
    return flock.build(tmp_path / "world")


async def names(
    scene: Scene, person: Person, option: str, typed: str = "", where: str = "general", **more: Any
) -> list[str]:
    """The names of the choices for an option."""
    place = scene.channel(where)
    offered = await person.suggestions("find", option, typed, where=place, **more)
    assert len(offered) <= 25
    assert all(1 <= len(one["name"]) <= 100 and 1 <= len(one["value"]) <= 100 for one in offered)
    return [one["name"] for one in offered]


# ── Channels ─────────────────────────────────────────────────────────────────────────────

OPEN = ["#general", "#pets", "#lounge"]
IN_ANIMALS = ["#cats (in Animals)", "Animals: the whole category"]


async def test_channels_are_those_that_the_asker_reads_and_that_have_pictures(
    scene: Scene,
) -> None:
    finn, ada, mod = [await scene.log_in(name) for name in ("finn", "ada", "mod")]
    owner = await scene.log_in("olga")
    await owner.request(
        "POST", f"/guilds/{scene.nest.world.guild_id}/channels", json={"name": "empty"}
    )
    assert await names(scene, finn, "in") == [*OPEN, *IN_ANIMALS]
    assert set(await names(scene, ada, "in")) == {
        *OPEN,
        *IN_ANIMALS,
        "#birding",
        "#owls (in Animals)",
    }
    # Mod may read all private threads.
    assert set(await names(scene, mod, "in")) == {
        *OPEN,
        *IN_ANIMALS,
        "#mods",
        "#whispers (in #general)",
    }
    assert "#after dark" in await names(scene, finn, "in", where="after dark")


async def test_channels_are_completed_and_found_by_the_choice(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    assert await names(scene, finn, "in", "#an") == ["Animals: the whole category"]
    assert await names(scene, finn, "in", "AT") == ["#cats (in Animals)"]
    assert await names(scene, finn, "in", "mods") == []
    general = scene.channel("general")
    [cats] = await finn.suggestions("find", "in", "cat", where=general)
    answer = await finn.command("find", where=general, **{"in": cats["value"]})
    assert scene.places(scene.shown(answer)) == {"nora in cats", "fiona in cats"}


async def test_a_private_thread_is_offered_to_who_asks_in_it(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    assert await names(scene, finn, "in", "whis") == []
    assert await names(scene, finn, "in", "whis", where="whispers") == ["#whispers (in #general)"]


# ── Members ──────────────────────────────────────────────────────────────────────────────


async def test_members_are_those_with_pictures_that_the_asker_reads(scene: Scene) -> None:
    finn, ada, olga = [await scene.log_in(name) for name in ("finn", "ada", "olga")]
    # Those with most pictures first, who have left among them.
    everybodys = ["@Olga", "@Finn", "@Nora", "@Fiona"]
    assert await names(scene, finn, "from") == ["me: your own pictures", *everybodys]
    assert await names(scene, ada, "from") == [
        "me: your own pictures",
        "@Olga",
        "@Ada",
        "@Finn",
        "@Nora",
        "@Fiona",
    ]
    assert set(await names(scene, olga, "from")) == {
        "me: your own pictures",
        *everybodys,
        "@Ada",
        "@Mod",
        "@Finley",
    }


async def test_members_are_completed_and_found_by_the_choice(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    assert await names(scene, finn, "from", "@FI") == ["@Finn", "@Fiona"]
    assert await names(scene, finn, "from", "ona") == ["@Fiona"]
    assert await names(scene, finn, "from", "m") == ["me: your own pictures"]
    assert await names(scene, finn, "from", "mod") == []
    assert await names(scene, finn, "from", "ghost") == []
    general = scene.channel("general")
    [nora] = await finn.suggestions("find", "from", "nora", where=general)
    answer = await finn.command("find", where=general, **{"from": nora["value"]})
    assert scene.places(scene.shown(answer)) == {"nora in old walks", "nora in cats"}


async def test_pictures_in_closed_channels_change_neither_choices_nor_their_order(
    scene: Scene,
) -> None:
    finn, ada = await scene.log_in("finn"), await scene.log_in("ada")
    before = [await names(scene, finn, option) for option in ("from", "in")]
    for name in ("fiona", "ghost"):
        person = await scene.log_in(name)
        for place in ("mods", "birding"):
            channel = scene.channel(place)
            scene.server.world.guilds[scene.nest.world.guild_id].channels[
                int(channel)
            ].overwrites = []
            for number in range(4):
                await person.post(channel, pictures={"x.png": png(f"#{number}0{number}0ff")})
    await idle(scene.magpie)
    assert [await names(scene, finn, option) for option in ("from", "in")] == before
    assert "@Ghost" in await names(scene, ada, "from")


# ── Dates, and the line itself ───────────────────────────────────────────────────────────


async def test_dates_that_are_offered_can_be_read(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    for option in ("after", "before"):
        offered = await finn.suggestions("find", option, "", where=scene.channel("general"))
        assert len(offered) == 25
        assert offered[0]["value"] in ("today", "yesterday")
        for choice in (offered[0], offered[3], offered[-1]):
            answer = await finn.command(
                "find", where=scene.channel("general"), query="red", **{option: choice["value"]}
            )
            assert "```" not in answer.text()
    assert await names(scene, finn, "after", "2025-1") == [
        "2025-1: since 1 February 2025",
        "2025-12: since 1 January 2026",
        "2025-11: since 1 December 2025",
        "2025-10: since 1 November 2025",
    ]
    assert (await names(scene, finn, "before", "3 May 2024")) == ["3 May 2024: before 3 May 2024"]
    assert await names(scene, finn, "after", "no date") == []


async def test_the_line_is_completed_where_a_field_is_begun(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    for typed, offered in {
        "dog in the snow": [],
        "": [],
        "from:fi": ["from:@finn", "from:@fiona"],
        "dog -from:@fio": ["dog -from:@fiona"],
        "dog from:mod": [],
        "dog in:#pe": ["dog in:#pets"],
        "dog in:ani": ["dog in:Animals"],
        "dog in:mods": [],
        "dog has:st": ["dog has:sticker"],
        "sort:": ["sort:best", "sort:new", "sort:old"],
        "dog after:last w": ["dog after:last week"],
        "dog sor": ["dog sor", "dog sort:"],
        "dog fro": ["dog fro", "dog from:"],
        f"{'x' * 90} in:#": [f"{'x' * 90} in:#pets", f"{'x' * 90} in:#cats"],  # of 100 letters
    }.items():
        assert await names(scene, finn, "query", typed) == offered, typed


# ── What goes wrong ──────────────────────────────────────────────────────────────────────


async def test_who_types_very_fast_gets_no_choices_and_others_do(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    limits = Limits(keys_a_minute=3)
    async with running(sandbox, db, model, limits=limits) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        finn, ada = await scene.log_in("finn"), await scene.log_in("ada")
        offered = [bool(await names(scene, finn, "query", "sort:")) for _ in range(5)]
        assert offered == [True, True, True, False, False]
        assert await names(scene, ada, "query", "sort:")
        # Questions are counted apart.
        assert "asking faster" not in (await finn.command("find", query="red")).text()


async def test_an_error_gives_no_choices_and_one_line_in_the_log(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    finn = await scene.log_in("finn")

    async def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(scene.magpie.gallery.links, "groups", fail)
    caplog.clear()
    assert await names(scene, finn, "in") == []
    [record] = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert "nothing_suggested" in record.getMessage()
    assert record.exc_info is None


async def test_a_slow_answer_is_given_up_before_discord_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    monkeypatch.setattr(suggestions, "TIMEOUT_S", 0.05)

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(scene.magpie.gallery.links, "groups", never)
    assert await names(scene, finn, "from") == []
    assert not scene.magpie.suggestions._working
