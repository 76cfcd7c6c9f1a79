"""Who is spoken to in which language: the asker in private, the server in public."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.person import Answer, Person
from tests.bot.ask import flock
from tests.bot.ask.conftest import RED, Scene, look
from tests.bot.ask.nest import Nest
from tests.bot.running import until

GERMAN = "de"


@pytest.fixture
def nest(tmp_path: Path) -> Nest:
    """A server that speaks German; finn's client speaks English, ada's German."""
    nest = flock.build(tmp_path / "world")
    nest.world.guild["preferred_locale"] = GERMAN
    [ada] = [user for user in nest.world.users if user["username"] == "ada"]
    ada["locale"] = GERMAN
    return nest


async def find(scene: Scene, person: Person, **options: Any) -> Answer:
    return await person.command("find", where=scene.channel("general"), **options)


async def test_an_answer_speaks_to_its_readers(scene: Scene) -> None:
    finn, ada = await scene.log_in("finn"), await scene.log_in("ada")
    red: Any = ("red.png", RED)
    english, german = [await find(scene, one, image=red) for one in (finn, ada)]
    assert english.lines()[0] == "### Closest to this picture"
    assert german.lines()[0] == "### Am nächsten: dieses Bild"
    assert "[zur Nachricht](" in german.text()
    assert german.menu()["placeholder"] == "Wähle ein Bild oder sortiere"

    # What is clicked, chosen and typed goes on in the language of who does it.
    looked = await look(ada, german)
    assert looked.button("Mehr davon")
    answer = await find(scene, ada, query="red")
    form = await ada.open_form(answer, answer.button("Eingrenzen"))
    assert form["title"] == "Die Suche eingrenzen"
    unread = await ada.submit(answer, form, line="sort:x")
    assert unread.text().startswith("„x“ ist nichts, was sort")
    mine = await ada.suggestions("find", "after", "2024", where=scene.channel("general"))
    assert mine[0]["name"] == "2024: seit dem 1. Januar 2025"

    # All read a public answer, and what is said to a message.
    public = await find(scene, finn, image=red, show="everyone")
    assert public.lines()[0] == "### Am nächsten: dieses Bild"
    assert public.lines()[-1].startswith("-# Hier zeige ich nur, was alle")
    own = await finn.click(public, public.button("Mehr, nur für mich"))
    assert own.lines()[0] == "### Closest to this picture"
    posted = await finn.post(scene.channel("general"), f"<@{scene.nest.world.bot_id}> red sort:x")
    refused = (await scene.answer_to(finn, posted)).text()
    assert refused.startswith("„x“ ist nichts, was sort")
    assert "Das kann ich lesen:" in refused

    # What is said to Magpie is read in the language of the server, too.
    me = f"<@{scene.nest.world.bot_id}>"
    posted = await finn.post(scene.channel("general"), f"{me} schon mal gepostet?")
    assert "Antworte auf das Bild, das du meinst" in (await scene.answer_to(finn, posted)).text()

    # Why a public answer fails is told to the asker alone.
    failed = await find(scene, finn, query="from:nobody", show="everyone")
    assert failed.private
    assert failed.text().startswith("I know nobody called “nobody”")


async def test_the_progress_of_a_job_speaks_to_its_readers(scene: Scene) -> None:
    """Olga's client speaks English, and all there read the message."""
    olga = await scene.log_in("olga")
    since = olga.seen()
    answer = await olga.command("reindex", where=scene.channel("general"))
    assert answer.text().startswith("You can follow it here")
    shown = await olga.event("MESSAGE_CREATE", where=lambda one: not one.get("flags"), since=since)
    assert shown["content"].startswith("**Indexiere neu** · alle beobachteten Kanäle")
    assert "Anhalten" in json.dumps(shown["components"])
    await olga.speak(GERMAN)

    async def is_done() -> bool:
        return "**Das Neu-Indexieren ist fertig**" in (await olga.command("status")).text()

    await until(is_done)


async def test_commands_are_named_in_each_language(scene: Scene) -> None:
    """Discord itself would refuse a name that doesn't fit, as the sandbox does."""
    olga = await scene.log_in("olga")
    await olga.speak(GERMAN)
    commands = {command["name"]: command for command in await olga.commands()}
    assert commands["channels"]["name_localized"] == "kanäle"
    assert commands["Find similar"]["name_localized"] == "Ähnliche finden"
    options = {option["name"]: option for option in commands["find"]["options"]}
    assert options["sort"]["name_localized"] == "reihenfolge"
    assert options["sort"]["choices"][0]["name_localized"] == "Beste zuerst"
    assert options["has"]["choices"][1]["name_localized"] == "gif: ein Bild, das sich bewegt"
    for named in named_in(list(commands.values())):
        assert "description_localized" in named or not named["description"], named["name"]
    # A sentence names a command as the reader's Discord shows it.
    answer = await olga.command("privacy", "status")
    assert "`/datenschutz abmelden`" in answer.text()


def named_in(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Commands and options, with all that is in them."""
    return [one for node in nodes for one in (node, *named_in(node.get("options", [])))]
