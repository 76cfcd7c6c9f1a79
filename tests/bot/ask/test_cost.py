"""What a question costs the bot, by count: requests to Discord, statements to the database."""

from __future__ import annotations

from collections import Counter
from typing import Any

import aiosqlite
import pytest

from tests.bot.ask.conftest import Scene

# The groups, and where words stand in them; all words at once; what the candidates show, their
# fingerprints, which of them are no copies, and what they say; the hits, their seconds and stills;
# and the question, which is saved.
STATEMENTS = 11
LONG = "a small wooden teapot beside the violin on a sunny roof"


@pytest.mark.parametrize("words", ["red", LONG])
async def test_a_question_asks_as_little_of_discord_and_the_database_as_it_can(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """However many words it has: each message of a hit is read once, and one request answers."""
    finn = await scene.log_in("finn")
    await finn.command("find", query="green")  # the first question in an hour removes old ones
    statements = list[str]()
    execute = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, fn: Any, *given: Any, **more: Any) -> Any:
        statements.append(" ".join(str(given[0] if given else fn.__name__).split()))
        return await execute(self, fn, *given, **more)

    before = len(scene.server.exchanges)
    with monkeypatch.context() as patched:
        patched.setattr(aiosqlite.Connection, "_execute", counted)
        shown = scene.shown(await finn.command("find", query=words))
    assert len(statements) == STATEMENTS, statements
    made = scene.server.exchanges[before:]
    by_route = Counter((one.method, one.route) for one in made if one.who == "bot")
    joined = by_route.pop(("GET", "/channels/{channel_id}/thread-members/{user_id}"))
    assert joined == 1  # of private threads
    assert by_route == {
        ("GET", "/channels/{channel_id}/messages/{message_id}"): len(set(shown)),
        ("POST", "/interactions/{interaction_id}/{interaction_token}/callback"): 1,
    }
    [sent] = [one for one in made if one.route.endswith("/callback")]
    assert sent.answer() is None  # not the whole message, which nobody would read
