"""Texts that contain commands for the database, the disk, Discord or a button are only texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.ask.buttons import PageOf
from bot.text import answers as answer_text
from index import Position
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import RED, Scene
from tests.bot.ask.nest import READERS
from tests.bot.running import idle, png, until

SQL = ("'; DROP TABLE links; --", '" OR "1"="1', "') UNION SELECT sql FROM sqlite_master --", "%_*")


async def ask(scene: Scene, person: Person, **how: Any) -> Answer:
    return await person.command("find", where=scene.channel("general"), **how)


@pytest.mark.parametrize("words", SQL)
async def test_sql_in_a_question_is_words(scene: Scene, words: str) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, query=words)
    # Quotation marks ask for words that are written, which no picture here has.
    expected = set() if '"' in words else READERS["finn"]
    assert scene.places(await scene.all_shown(finn, answer)) == expected


@pytest.mark.parametrize("name", [*SQL, "../../../etc/passwd", "/etc/passwd", "..\\x", "~/.ssh/id"])
async def test_sql_and_paths_in_a_file_name_are_a_name(scene: Scene, db: Path, name: str) -> None:
    finn = await scene.log_in("finn")
    files = _beside(db)
    before = await scene.magpie.gallery.links.count()
    posted = await finn.post(scene.channel("pets"), pictures={f"{name}.png": png("blue")})

    async def indexed() -> bool:
        return (await scene.magpie.gallery.links.count()).links == before.links + 1

    await until(indexed)
    found = scene.shown(await ask(scene, finn, image=("b.png", png("blue"))))
    assert found[0] == int(posted["id"])
    assert _beside(db) == files


def _beside(db: Path) -> set[Path]:
    """All files around the gallery's own."""
    return {path for path in db.parent.rglob("*") if not path.name.startswith(db.name)}


MENTIONS = "@everyone @here <@{finn}> <@&{role}> <#{channel}>"


@pytest.mark.parametrize("show", ["only me", "everyone"])
async def test_mentions_in_a_question_ping_nobody(scene: Scene, show: str) -> None:
    finn = await scene.log_in("finn")
    words = MENTIONS.format(
        finn=finn.user["id"], role=scene.nest.world.roles["Magpie"], channel=scene.channel("mods")
    )
    answer = await ask(scene, finn, query=f"dog {words}", show=show)
    assert "<@" in answer.text(), "each line names the author of its picture"
    assert answer.message["mentions"] == []
    assert not answer.message["mention_everyone"]
    heading = answer.lines()[0]
    assert "<" not in heading
    assert "@everyone" not in heading.replace("@\u200beveryone", "")


async def test_markdown_in_a_question_is_shown_as_it_was_written(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, query="[dog](https://evil.example) **x**\n# y ||z|| `w`")
    assert "evil.example" not in answer.lines()[0]
    assert r"\*\*x\*\*" in answer.lines()[0]
    assert r"\|\|z\|\|" in answer.lines()[0]
    assert len([line for line in answer.lines() if line.startswith("#")]) == 1


# ── Buttons that were not offered ────────────────────────────────────────────────────────


async def forge(scene: Scene, person: Person, answer: Answer, custom_id: str) -> Answer:
    """Click a forged button. It is put into the answer first, as Discord would never do."""
    channel, id = int(answer.message["channel_id"]), int(answer.message["id"])
    message = scene.server.core.find_message(channel, id)
    assert message is not None
    button: Any = {"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": custom_id}
    message.components = [{"type": 1, "id": 1, "components": [button]}]
    return await person.click(answer, button)


@pytest.mark.parametrize("kind", ["▶", "Picture 2"])
async def test_a_button_of_one_members_private_answer_is_refused_to_another(
    scene: Scene, kind: str
) -> None:
    mod, finn = await scene.log_in("mod"), await scene.log_in("finn")
    both = await mod.post(scene.channel("general"), pictures={"1.png": RED, "2.png": png("blue")})
    await idle(scene.magpie)
    theirs = (await mod.menu("Find similar", both)).button(kind)["custom_id"]
    own = await ask(scene, finn, image=("r.png", RED))
    assert (await forge(scene, finn, own, theirs)).text() == answer_text.not_yours()


async def test_a_forged_similar_shows_no_picture_that_its_clicker_cannot_see(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    guild = scene.nest.world.guild_id
    hidden = scene.nest.messages["mods"]
    own = await ask(scene, finn, image=("r.png", RED))
    refused = 0
    for link in range(1, 30):
        kept = await scene.magpie.gallery.links.link(guild, link)
        if kept is not None and kept.source == str(hidden):
            answer = await forge(scene, finn, own, f"s:{link}")
            assert answer.text() == answer_text.picture_unavailable()
            refused += 1
    assert refused == 1


@pytest.mark.parametrize(
    ("custom_id", "said"),
    [
        ("m:no-such-search:", answer_text.search_expired()),
        ("m:' OR 1=1 --:0", None),
        ("m:ｘ:٣", answer_text.search_expired()),
        (f"m:x:{'9' * 90}", answer_text.search_expired()),
        (f"b:x:{'_' * 43}", answer_text.search_expired()),
        (f"s:{'9' * 90}", answer_text.picture_unavailable()),
        (f"s:{2**63}", answer_text.picture_unavailable()),
        ("s:0", answer_text.picture_unavailable()),
        (f"i:x:{'9' * 90}", answer_text.search_expired()),
        (f"p:{'9' * 90}", "You need the permission Manage Server for that."),
        ("c:1", "You need the permission Manage Server for that."),
    ],
)
async def test_a_forged_button_is_answered_like_an_expired_one(
    scene: Scene, custom_id: str, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    finn = await scene.log_in("finn")
    own = await ask(scene, finn, image=("r.png", RED))
    if said is None:  # Magpie has no such button, so nothing happens
        items = scene.magpie._connection._view_store._dynamic_items
        assert not any(template.fullmatch(custom_id) for template in items)
    else:
        assert (await forge(scene, finn, own, custom_id)).text() == said
    assert "unexpected_error" not in caplog.text


async def test_a_page_beyond_the_last_hit_is_the_end(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    own = await ask(scene, olga, image=("r.png", RED))
    search = own.button("▶")["custom_id"].split(":")[1]
    beyond = PageOf(search, Position(6, -1.0, 2**50, 0.0))
    answer = await forge(scene, olga, own, f"m:{beyond}")
    assert answer.text() == answer_text.nothing_more()
