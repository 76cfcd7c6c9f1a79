"""A member's client: it logs in, posts, sends commands, clicks, and reads the answers.

It uses the routes and gateway events of Discord's own clients, and imports no other module of this
package. So it can drive the sandbox, or another Discord-compatible server, from outside. The demo,
the tests, the checks and the benches share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp

ANSWER_TIMEOUT_S = 60.0
SUBCOMMAND = 1
AUTOCOMPLETE = 4
OPTION_ATTACHMENT = 11
MANAGE_GUILD = 1 << 5
LOADING = 1 << 7

Payload = dict[str, Any]


class Refused(Exception):
    """The server refused a request: `status`, and Discord's own `code` and `message`."""

    def __init__(self, status: int, body: Payload) -> None:
        super().__init__(f"{status}: {body.get('message', body)}")
        self.status = status
        self.code = body.get("code")
        self.body = body


class Unanswered(Exception):
    """The application did not respond to an interaction in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the bot that answers an interaction, as this person's client received it."""

    message: Payload
    took_s: float = 0.0  # from sending the interaction until the answer arrived
    interaction: str = ""  # its id; a message that is changed in place keeps that of its command

    @property
    def private(self) -> bool:
        return bool(self.message.get("flags", 0) & 64)

    def lines(self) -> list[str]:
        """The lines of its text: its content and all text displays."""
        texts = [self.message.get("content", "")]
        texts += [part["content"] for part in self.parts() if part["type"] == 10]
        return [line for text in texts for line in text.splitlines() if line.strip()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def pictures(self) -> list[Payload]:
        """Its media items (gallery items and thumbnails), in order."""
        found: list[Payload] = []
        for part in self.parts():
            found += part.get("items", [])
            if part["type"] == 11:
                found.append(part)
        return found

    def buttons(self) -> list[Payload]:
        return [part for part in self.parts() if part["type"] == 2]

    def menu(self) -> Payload:
        """The first menu with options of its own; KeyError when there is none."""
        for part in self.parts():
            if part["type"] == 3:
                return part
        raise KeyError("no menu")

    def button(self, label: str) -> Payload:
        """The first button whose label begins with `label`; KeyError when there is none."""
        for button in self.buttons():
            if (button.get("label") or "").lower().startswith(label.lower()):
                return button
        raise KeyError(f"no button {label!r} among {[b.get('label') for b in self.buttons()]}")

    def parts(self) -> Iterator[Payload]:
        yield from _walk(self.message.get("components", ()))


def _walk(components: Sequence[Payload]) -> Iterator[Payload]:
    for component in components:
        yield component
        yield from _walk(component.get("components", ()))
        if accessory := component.get("accessory"):
            yield from _walk([accessory])


class NoForm(Exception):
    """A click that should open a form was answered by a message."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"no form, but {answer.text()!r}")
        self.answer = answer


class Person:
    """One member's session. `async with Person.log_in(session, base, token) as person`."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str) -> None:
        self._session = session
        self._base = base
        self._token = token
        self._nonces = count(1)
        self._events: list[tuple[str, Payload]] = []
        self._arrived = asyncio.Condition()
        self.user: Payload = {}
        self.guilds: list[Payload] = []
        self.session_id = ""

    @property
    def name(self) -> str:
        return str(self.user.get("global_name") or self.user["username"])

    @classmethod
    @contextlib.asynccontextmanager
    async def log_in(
        cls, session: aiohttp.ClientSession, base: str, token: str
    ) -> AsyncIterator[Person]:
        person = cls(session, base, token)
        connected = asyncio.create_task(person._stay_connected())
        try:
            await person.event("READY")
            yield person
        finally:
            connected.cancel()
            await asyncio.gather(connected, return_exceptions=True)

    @classmethod
    def owner(
        cls, session: aiohttp.ClientSession, base: str
    ) -> contextlib.AbstractAsyncContextManager[Person]:
        """The owner of the first server of a sandbox's world."""
        return cls._somebody(session, base, lambda guild, user: guild["owner_id"] == user["id"])

    @classmethod
    def member(
        cls, session: aiohttp.ClientSession, base: str
    ) -> contextlib.AbstractAsyncContextManager[Person]:
        """The first person of a sandbox's world who doesn't own a server."""
        return cls._somebody(session, base, lambda guild, user: guild["owner_id"] != user["id"])

    @classmethod
    @contextlib.asynccontextmanager
    async def _somebody(
        cls,
        session: aiohttp.ClientSession,
        base: str,
        wanted: Callable[[Payload, Payload], bool],
    ) -> AsyncIterator[Person]:
        for one in await everybody(session, base):
            async with cls.log_in(session, base, one["token"]) as person:
                if any(wanted(guild, person.user) for guild in person.guilds):
                    yield person
                    return
        raise LookupError("nobody in this world fits")

    def top_level_channels(self) -> list[str]:
        """Ids of the first server's categories, and of its channels outside a category."""
        categories_or_text = (0, 2, 4, 5, 15)
        return [
            channel["id"]
            for channel in self.guilds[0]["channels"]
            if channel.get("parent_id") is None and channel["type"] in categories_or_text
        ]

    def channel(self, name: str) -> str:
        """The id of the channel or thread of this name; KeyError when this person can't see one."""
        for guild in self.guilds:
            for channel in [*guild["channels"], *guild.get("threads", [])]:
                if channel["name"] == name:
                    return str(channel["id"])
        raise KeyError(name)

    def name_of(self, user_id: str) -> str:
        """A member's name in the first server; their id when this person doesn't know it."""
        for member in self.guilds[0]["members"]:
            if (user := member["user"])["id"] == user_id:
                return str(member.get("nick") or user.get("global_name") or user["username"])
        return user_id

    def channel_name(self, channel_id: str) -> str:
        """The name of a channel or thread; its id when this person can't see it."""
        for channel in [*self.guilds[0]["channels"], *self.guilds[0].get("threads", [])]:
            if channel["id"] == channel_id:
                return str(channel["name"])
        return channel_id

    # requests

    async def request(self, method: str, path: str, **how: Any) -> Any:
        """The JSON answer of a route below /api/v10; None when it has no body. raises Refused"""
        headers = {"Authorization": self._token}
        url = f"{self._base}/api/v10{path}"
        async with self._session.request(method, url, headers=headers, **how) as answer:
            body = await answer.json() if answer.content_type == "application/json" else None
            if answer.status >= 400:
                raise Refused(answer.status, body or {})
            return body

    async def post(
        self,
        channel: str,
        content: str = "",
        *,
        pictures: dict[str, bytes] | None = None,
        reply_to: Payload | None = None,
        **more: Any,
    ) -> Payload:
        """Post a message, with pictures as {file name: bytes}; returns the posted message."""
        names = list(pictures or {})
        message: Payload = {"content": content, "nonce": self._nonce(), **more}
        message["attachments"] = [{"id": str(n), "filename": name} for n, name in enumerate(names)]
        if reply_to is not None:
            message["message_reference"] = {
                "message_id": reply_to["id"],
                "channel_id": reply_to["channel_id"],
            }
        form = _multipart(message, pictures or {})
        posted: Payload = await self.request("POST", f"/channels/{channel}/messages", data=form)
        return posted

    async def messages(self, channel: str, limit: int = 50) -> list[Payload]:
        """The newest messages of a channel, newest first."""
        found: list[Payload] = await self.request(
            "GET", f"/channels/{channel}/messages", params={"limit": limit}
        )
        return found

    async def invite(self, application: str, guild: str, permissions: int) -> None:
        """Follow an application's invite link: add it to a server with these permissions.

        raises   Refused to who lacks Manage Server there
        """
        wanted = {"guild_id": guild, "permissions": str(permissions), "authorize": True}
        query = {"client_id": application, "scope": "bot applications.commands"}
        await self.request("POST", "/oauth2/authorize", params=query, json=wanted)

    async def speak(self, locale: str) -> None:
        """Change the language of this client, such as to "de" or "es-419"."""
        await self.request("PATCH", "/users/@me/settings", json={"locale": locale})

    async def commands(self) -> list[Payload]:
        """The application commands that this person may use in the first server, with names and
        descriptions in their language, too."""
        path = f"/guilds/{self.guilds[0]['id']}/application-command-index"
        index = await self.request("GET", path)
        found: list[Payload] = index["application_commands"]
        return found

    async def command(
        self,
        name: str,
        subcommand: str | None = None,
        *,
        where: str | None = None,
        **options: str | bool | int | tuple[str, bytes],
    ) -> Answer:
        """Send a slash command in `where`, or in the first text channel; returns the answer.

        An attachment option is (file name, bytes).

        raises  KeyError for a command that this person may not use; Unanswered
        """
        command = await self._offered(name)
        described = command.get("options", [])
        if subcommand is not None:
            described = next(o for o in described if o["name"] == subcommand).get("options", [])
        files = {v[0]: v[1] for v in options.values() if isinstance(v, tuple)}
        given = [_option(described, key, value, list(files)) for key, value in options.items()]
        if subcommand is not None:
            given = [{"type": SUBCOMMAND, "name": subcommand, "options": given}]
        data = _command_data(command, given)
        data["attachments"] = [{"id": str(n), "filename": file} for n, file in enumerate(files)]
        return await self._interact({"type": 2, "data": data}, where, files)

    async def suggestions(
        self,
        name: str,
        option: str,
        typed: str,
        *,
        subcommand: str | None = None,
        where: str | None = None,
        **options: str,
    ) -> list[Payload]:
        """The choices that are offered while `typed` stands in an option of a slash command.

        options  those that are filled in already
        raises   KeyError for a command that this person may not use; Unanswered
        """
        command = await self._offered(name)
        described = command.get("options", [])
        if subcommand is not None:
            described = next(o for o in described if o["name"] == subcommand).get("options", [])
        given = [_option(described, key, value, []) for key, value in options.items()]
        given.append({**_option(described, option, typed, []), "focused": True})
        if subcommand is not None:
            given = [{"type": SUBCOMMAND, "name": subcommand, "options": given}]
        interaction = {"type": AUTOCOMPLETE, "data": _command_data(command, given)}
        nonce, since = await self._begin(interaction, where, {})
        answer = await self.event(
            "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE",
            "INTERACTION_FAILURE",
            where=lambda event: event.get("nonce") == nonce,
            since=since,
        )
        if "choices" not in answer:
            raise Unanswered("the application did not suggest anything in time")
        choices: list[Payload] = answer["choices"]
        return choices

    async def menu(self, name: str, message: Payload) -> Answer:
        """Use the command `name` of a message's menu; returns the answer."""
        command = await self._offered(name)
        data = {
            "id": command["id"],
            "name": name,
            "type": 3,
            "version": command.get("version", "1"),
            "target_id": message["id"],
        }
        return await self._interact({"type": 2, "data": data}, message["channel_id"], {})

    async def click(self, answer: Answer, button: Payload) -> Answer:
        """Click a button of an answer; returns the new or changed message."""
        return await self._use(answer, button)

    async def choose(self, answer: Answer, menu: Payload, *values: str) -> Answer:
        """Choose options of a menu of an answer; returns the new or changed message."""
        return await self._use(answer, menu, values=list(values))

    async def open_form(self, answer: Answer, button: Payload) -> Payload:
        """Click a button that opens a form; returns the form.

        raises   Refused, Unanswered, NoForm
        """
        since = self.seen()
        clicking = asyncio.create_task(self._use(answer, button))
        opening = asyncio.create_task(self.event("INTERACTION_MODAL_CREATE", since=since))
        try:
            await asyncio.wait({clicking, opening}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                raise NoForm(clicking.result())
            return opening.result()
        finally:
            clicking.cancel()
            opening.cancel()
            await asyncio.gather(clicking, opening, return_exceptions=True)

    async def submit(self, answer: Answer, form: Payload, **fields: str) -> Answer:
        """Fill in the text fields of a form that was opened below an answer, and send it."""
        parts = [
            {"type": part["type"], "component": {**inner, "value": fields[inner["custom_id"]]}}
            for part in form["components"]
            if (inner := part.get("component")) and inner["custom_id"] in fields
        ]
        message = answer.message
        data = {"id": form["id"], "custom_id": form["custom_id"], "components": parts}
        application = message.get("application_id") or message["author"]["id"]
        sent = {"type": 5, "application_id": application, "data": data}
        return await self._interact(sent, message["channel_id"], {}, message["id"])

    async def _use(self, answer: Answer, component: Payload, **more: Any) -> Answer:
        message, kind = answer.message, component["type"]
        interaction = {
            "type": 3,
            "application_id": message.get("application_id") or message["author"]["id"],
            "message_id": message["id"],
            "message_flags": message.get("flags", 0),
            "data": {"component_type": kind, "custom_id": component["custom_id"], **more},
        }
        return await self._interact(interaction, message["channel_id"], {})

    # events

    async def event(
        self,
        *names: str,
        where: Callable[[Payload], bool] = lambda payload: True,
        since: int = 0,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> Payload:
        """The first event of one of these names that `where` accepts; waits until it arrives.

        since  number of events to skip, as counted by `seen`
        raises TimeoutError
        """

        def found() -> Payload | None:
            for name, payload in self._events[since:]:
                if name in names and where(payload):
                    return payload
            return None

        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: found() is not None), timeout_s)
        payload = found()
        assert payload is not None
        return payload

    def direct_messages(self) -> list[Answer]:
        """The direct messages that have arrived, as they are now, oldest first."""
        found: dict[str, Payload] = {}
        for name, message in self._events:
            if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and "guild_id" not in message:
                found[message["id"]] = message
            elif name == "MESSAGE_DELETE":
                found.pop(message["id"], None)
        return [Answer(message) for message in found.values()]

    def since(self, seen: int) -> list[tuple[str, Payload]]:
        """The events that have arrived after so many, by name."""
        return self._events[seen:]

    def seen(self) -> int:
        """The number of events that have arrived."""
        return len(self._events)

    def forget(self) -> None:
        """Drop the events that have arrived. A long run would otherwise keep them all."""
        self._events.clear()

    async def _begin(
        self, interaction: Payload, where: str | None, files: dict[str, bytes]
    ) -> tuple[str, int]:
        """Send an interaction; its nonce, and the number of events that came before it."""
        nonce = self._nonce()
        body = {
            "application_id": self._application_id,
            "guild_id": self.guilds[0]["id"],
            "channel_id": where or self._first_text_channel(),
            "session_id": self.session_id,
            "nonce": nonce,
            **interaction,
        }
        since = self.seen()
        if files:
            await self.request("POST", "/interactions", data=_multipart(body, files))
        else:
            await self.request("POST", "/interactions", json=body)
        return nonce, since

    async def _interact(
        self,
        interaction: Payload,
        where: str | None,
        files: dict[str, bytes],
        below: str | None = None,
    ) -> Answer:
        """below: the message with what was used, which may change instead of a new answer"""
        began = time.perf_counter()
        nonce, since = await self._begin(interaction, where, files)
        outcome = await self.event(
            "INTERACTION_SUCCESS",
            "INTERACTION_FAILURE",
            where=lambda event: event.get("nonce") == nonce,
            since=since,
        )
        if any(name == "INTERACTION_FAILURE" and e is outcome for name, e in self._events[since:]):
            raise Unanswered("the application did not respond")
        below = below or interaction.get("message_id")
        message = await self._final_message(outcome["id"], below, since)
        return Answer(message, time.perf_counter() - began, outcome["id"])

    async def _final_message(self, interaction_id: str, below: str | None, since: int) -> Payload:
        """The message that answers an interaction, when it no longer says “thinking…”."""

        def answers(message: Payload) -> bool:
            if message.get("flags", 0) & LOADING:
                return False
            of_interaction = (message.get("interaction_metadata") or {}).get("id")
            return of_interaction == interaction_id or message["id"] == below

        return await self.event("MESSAGE_CREATE", "MESSAGE_UPDATE", where=answers, since=since)

    async def _offered(self, name: str) -> Payload:
        offered = await self.commands()
        for command in offered:
            if command["name"] == name:
                self._application_id = command["application_id"]
                return command
        raise KeyError(f"{name} is not among {[command['name'] for command in offered]}")

    def _first_text_channel(self) -> str:
        text = [c for c in self.guilds[0]["channels"] if c["type"] == 0 and not c.get("nsfw")]
        return str(min(text, key=lambda channel: channel["position"])["id"])

    def _nonce(self) -> str:
        return str(next(self._nonces))

    _application_id = "0"

    async def _stay_connected(self) -> None:
        """Start a new session whenever the server has closed the last one, as apps do.

        On a busy machine, late heartbeats are enough for the server to close it. A refused log-in
        is not tried again.
        """
        address = self._base.replace("http", "ws", 1) + "/gateway?v=10&encoding=json"
        properties = {"os": "", "browser": "", "device": ""}
        identify = {"op": 2, "d": {"token": self._token, "properties": properties}}
        before = None
        while self.session_id != before:
            before = self.session_id
            async with self._session.ws_connect(address, max_msg_size=0) as socket:
                hello = json.loads(await socket.receive_str())
                await socket.send_json(identify)
                interval_s = hello["d"]["heartbeat_interval"] / 1000
                pulse = asyncio.create_task(_heartbeat(socket, interval_s))
                try:
                    await self._read(socket)
                finally:
                    pulse.cancel()
                    await asyncio.gather(pulse, return_exceptions=True)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            packet = json.loads(frame.data)
            if packet["op"] == 0:
                await self._take(packet["t"], packet["d"])

    async def _take(self, name: str, payload: Payload) -> None:
        if name == "READY":
            self.user = payload["user"]
            self.guilds = payload["guilds"]
            self.session_id = payload["session_id"]
        async with self._arrived:
            self._events.append((name, payload))
            self._arrived.notify_all()


async def everybody(session: aiohttp.ClientSession, base: str) -> list[Payload]:
    """The people of a sandbox's world, each with `user`, `token`, `about` and `guilds`."""
    async with session.get(f"{base}/sandbox/people") as answer:
        people: list[Payload] = await answer.json()
        return people


async def _heartbeat(socket: aiohttp.ClientWebSocketResponse, interval_s: float) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await socket.send_json({"op": 1, "d": None})


def _option(described: list[Payload], name: str, value: Any, files: list[str]) -> Payload:
    option = next((o for o in described if o["name"] == name), None)
    if option is None:
        raise KeyError(f"no option {name} among {[o['name'] for o in described]}")
    if option["type"] == OPTION_ATTACHMENT:
        value = str(files.index(value[0]))
    return {"type": option["type"], "name": name, "value": value}


def _command_data(command: Payload, options: list[Payload]) -> Payload:
    """What is sent of a slash command, beside its files."""
    return {
        "id": command["id"],
        "name": command["name"],
        "type": 1,
        "version": command.get("version", "1"),
        "options": options,
    }


def _multipart(body: Payload, files: dict[str, bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    for number, (name, data) in enumerate(files.items()):
        form.add_field(f"files[{number}]", data, filename=name)
    return form
