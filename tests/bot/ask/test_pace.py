"""Whoever asks too often is told so at every door, before anything is done for the question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.text import answers as text
from index.embed.embedder import Embedder
from sandbox.person import Answer
from tests.bot.ask.conftest import RED, Scene, look, watch_everything
from tests.bot.ask.nest import Nest
from tests.bot.conftest import LogIn
from tests.bot.running import idle, png, running


@pytest.fixture
async def scene(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> AsyncIterator[Scene]:
    """The nest, with a Magpie that takes one question a minute from each member."""
    async with running(sandbox, db, model, questions=1) as magpie:
        await watch_everything(magpie)
        yield Scene(nest, sandbox, magpie, log_in)


async def test_every_door_counts_the_question_before_anything_is_read_for_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    general = scene.channel("general")
    both = await finn.post(general, pictures={"1.png": png("blue"), "2.png": png("green")})
    for number in range(3):
        await finn.post(general, pictures={"x.png": png(f"#0{number}00ff")})
    await idle(scene.magpie)
    first = await finn.menu("Find similar", both)  # the one question of this minute
    assert {"▶", "Picture 2", "Narrow"} <= {str(b["label"]) for b in first.buttons()}
    search = str(first.button("Narrow")["custom_id"]).partition(":")[2]
    link = first.menu()["options"][0]["value"]

    downloaded: list[Any] = []
    fetch = scene.magpie.downloader.fetch

    async def counted(picture: Any, **more: Any) -> bytes:
        downloaded.append(picture)
        return await fetch(picture, **more)

    monkeypatch.setattr(scene.magpie.downloader, "fetch", counted)
    before = len(scene.server.exchanges)

    async def asked_in_a_message(said: str) -> Answer:
        me = scene.nest.world.bot_id
        posted = await finn.post(general, f"<@{me}> {said}", reply_to=both)
        return await scene.answer_to(finn, posted)

    async def use(custom_id: str) -> Answer:
        """Click a button that further answers have, and that the first one is given for it."""
        message = scene.server.core.find_message(int(general), int(first.message["id"]))
        assert message is not None
        button = {"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": custom_id}
        before = message.components
        message.components = [{"type": 1, "id": 1, "components": [button]}]
        try:
            return await finn.click(first, button)
        finally:
            message.components = before

    controls = [
        f"m:{search}::g",
        f"b:{search}:",
        f"w:{search}::{link}",
        f"f:{search}:more:{link}",
        f"f:{search}:less:{link}",
        f"u:{search}:more",
        f"s:{link}",
    ]
    answers = [
        await finn.click(first, first.button("▶")),
        await look(finn, first),
        await finn.choose(first, first.menu(), "newest"),
        await finn.click(first, first.button("Narrow")),
        await finn.click(first, first.button("Picture 2")),
        *[await use(id) for id in controls],
        await finn.command("find", where=general, query="dog"),
        await finn.command("find", where=general, image=("red.png", RED)),
        await finn.menu("Find similar", both),
        await finn.menu("Posted before?", both),
        await asked_in_a_message("posted before?"),
        await asked_in_a_message(""),
        await asked_in_a_message("but at night"),
    ]
    for number, answer in enumerate(answers):
        assert answer.text().startswith("You are asking faster than I can look."), number
    assert not downloaded
    done = scene.server.exchanges[before:]
    by_the_bot = {exchange.route for exchange in done if exchange.who == "bot"}
    assert "/channels/{channel_id}/messages/{message_id}" not in by_the_bot


async def test_what_asks_nothing_counts_too(scene: Scene) -> None:
    finn, general, me = (
        await scene.log_in("finn"),
        scene.channel("general"),
        scene.nest.world.bot_id,
    )

    async def said(words: str) -> Answer:
        return await scene.answer_to(finn, await finn.post(general, f"<@{me}> {words}"))

    assert (await said("")).text() == text.how_to_ask()  # the one question of this minute
    plain = await finn.post(general, "no picture here")
    answers = [
        await said(""),
        await said("https://elsewhere.example/"),
        await finn.command("find", where=general),
        await finn.command("find", where=general, query="https://elsewhere.example/"),
        await finn.menu("Find similar", plain),
        await finn.menu("Posted before?", plain),
    ]
    for number, answer in enumerate(answers):
        assert answer.text().startswith("You are asking faster than I can look."), number
    assert not any(exchange.route.endswith("/typing") for exchange in scene.server.exchanges)


async def test_a_form_that_is_sent_counts_before_its_line_is_read(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model, questions=3) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        finn = await scene.log_in("finn")
        found = await finn.command("find", where=scene.channel("general"), query="has:image")
        forms = [await finn.open_form(found, found.button("Narrow")) for _ in range(2)]
        for form, line in zip(forms, ("sort:new dog", "after:never"), strict=True):
            refused = await finn.submit(found, form, line=line)
            assert refused.text().startswith("You are asking faster than I can look.")
