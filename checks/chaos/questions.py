"""What members ask while it happens: commands with any options, and every control of an answer."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from bot.ask import buttons
from checks.chaos import servers
from checks.chaos.servers import NEST
from sandbox import Server
from sandbox.person import Answer, NoForm, Payload, Person

Asking: TypeAlias = Callable[[], Coroutine[Any, Any, Answer]]

MENUS = ("Find similar", "Posted before?")
WORDS = ("red and green", "a dark patch", "bright colours", "sky", "something blue", "noise")
OF_A_MESSAGE = 0.2  # of the questions are about a message
LIMITED = 0.4  # of the others have further options


def question(server: Server, person: Person, rng: random.Random, here: int) -> Asking:
    """A new question, asked in the channel `here`."""
    if rng.random() < OF_A_MESSAGE:
        seen = [m for m in server.world.messages(here) if m.attachments]
        if seen:
            message = rng.choice(seen[-10:])
            target = {"id": str(message.id), "channel_id": str(here)}
            return functools.partial(person.menu, rng.choice(MENUS), target)
    options = {"query": rng.choice(WORDS), "show": rng.choice(["only me", "only me", "everyone"])}
    if rng.random() < LIMITED:
        options |= fields(server, rng)
    return functools.partial(person.command, "find", where=str(here), **options)


def fields(server: Server, rng: random.Random) -> dict[str, str]:
    """Some fields of a question. The channel may be closed to whoever asks."""
    channel = rng.choice(list(server.world.guilds[NEST].channels))
    values = {
        "in": f"<#{channel}>",
        "from": f"<@{rng.choice(list(servers.PEOPLE))}>",
        "after": "2020",
        "has": "image",
        "sort": rng.choice([sort.value for sort in buttons.ORDERS]),
        "without": "sky",
    }
    return {name: values[name] for name in rng.sample(list(values), rng.randint(1, 3))}


def control(server: Server, person: Person, last: Answer, rng: random.Random) -> Asking | None:
    """The use of one of an answer's controls, if it has some.

    Each kind is as likely as the others: a menu of twenty pictures would hide the way back.
    """
    kinds: dict[str, list[tuple[Payload, str | None]]] = {}
    for one, value in controls(last):
        kinds.setdefault(one["custom_id"].partition(":")[0], []).append((one, value))
    if not kinds:
        return None
    used, value = rng.choice(kinds[rng.choice(list(kinds))])
    if value is not None:
        return functools.partial(person.choose, last, used, value)
    if used["custom_id"].startswith("n:"):
        beside = [f"{name}:{value}" for name, value in fields(server, rng).items()]
        line = " ".join([rng.choice(WORDS), *beside])
        return functools.partial(_narrow, person, last, used, line)
    return functools.partial(person.click, last, used)


def controls(answer: Answer) -> list[tuple[Payload, str | None]]:
    """The buttons of an answer, and its menus with each of their values."""
    found: list[tuple[Payload, str | None]] = [
        (one, None) for one in answer.buttons() if not one.get("url") and not one.get("disabled")
    ]
    for menu in answer.parts():
        found += [(menu, option["value"]) for option in menu.get("options", ())]
    return found


async def _narrow(person: Person, answer: Answer, button: Payload, line: str) -> Answer:
    """What comes of the form below an answer; if it doesn't open, of the click."""
    try:
        form = await person.open_form(answer, button)
    except NoForm as instead:
        return instead.answer
    return await person.submit(answer, form, line=line)
