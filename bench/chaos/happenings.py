"""What the steps of a schedule do: people's deeds, and faults."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import sqlite3
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bench.chaos import village
from bench.chaos.bot import Bot
from bench.chaos.pictures import Pictures
from bench.chaos.schedule import Step
from bench.chaos.truth import Wishes
from bench.chaos.village import NEST, ROCK, SHORE
from bench.chaos.witness import ABOUT_PERMISSIONS
from demo.person import Person, Refused, Unanswered
from sandbox import Server
from sandbox import permissions as may
from sandbox.links import PAGE_SITE, PICTURE_SITE
from sandbox.world import (
    CATEGORY,
    COMPONENTS_V2,
    FORUM,
    TEXT,
    VOICE,
    Channel,
    Member,
    Message,
    Overwrite,
)

T = TypeVar("T")

OLD_S = 3600
WISH_S = 20.0  # for an answer to a wish about privacy
LOCK_S = (1.0, 9.0)  # SQLite's own patience ends at 5
DISK_S = (1.0, 6.0)
CLOCK_S = (0.5, 10.0)
# Set wrong by so much at most: less than the week that a server's pictures outlive its leaving.
CLOCK_WRONG_S = 3 * 86_400
RARELY = 0.25
MISSABLE = (
    "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK",
    "THREAD_CREATE", "THREAD_DELETE",
)  # fmt: skip
REPEATABLE = (*MISSABLE, "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE")
ROUTES = (None, "/channels/*/messages", "/channels/*/messages/*", "/channels/*", "/webhooks/*")


class Nothing(Exception):
    """There is nothing that the step could be done to."""


@dataclass
class Happenings:
    """Does steps. `people` are members' clients, by user id."""

    server: Server
    people: dict[int, Person]
    bot: Bot
    pictures: Pictures
    wishes: Wishes
    ballast: Path | None  # a file that fills the disk; None: the disk is too large for that
    _pending: set[asyncio.Task[Any]] = field(default_factory=set)

    async def do(self, step: Step) -> str:
        """Do a step; what it came to, in a few words."""
        method = getattr(self, f"_{step.what}")
        try:
            said = await method(*step.dice)
        except Nothing:
            return "nothing to do it to"
        except Refused as refusal:
            return f"refused: {refusal}"
        return str(said or "")

    async def calm(self) -> None:
        """All faults end, and the bot may see everything again."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        self.server.faults.clear()
        self.bot.limit_files(None)
        self.bot.clock.set(0)
        if self.ballast is not None:
            _empty(self.ballast)
        for guild in self.server.world.guilds.values():
            self.server.core.outage(guild, False)
        self._strike("join", guild_id=str(ROCK))
        for channel in list(self.server.world.guilds[NEST].channels.values()):
            self._set_overwrite(channel, village.BOT, None)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    # ── Whom and what ────────────────────────────────────────────────────────────────────

    def _channels(self) -> list[Channel]:
        """Where messages can be, threads too."""
        return [
            channel
            for guild in self.server.world.guilds.values()
            for channel in guild.channels.values()
            if channel.holds_messages and guild.id not in self.wishes.deleted
        ]

    def _messages(self, *, old: bool | None = None) -> list[Message]:
        """People's messages; those from before the run, or those from it."""
        now = self.server.world.snowflakes.next()
        edge = now - (OLD_S * 1000 << 22)
        return [
            message
            for channel in self._channels()
            for message in self.server.world.messages(channel.id)
            if message.author_id != village.BOT and (old is None or (message.id < edge) == old)
        ]

    def _own(self, **parts: bool) -> list[Message]:
        """Messages of people in the run, that have such parts."""
        return [
            message
            for message in self._messages(old=False)
            if message.author_id in self.people
            and all(bool(getattr(message, part)) == wanted for part, wanted in parts.items())
        ]

    def _author(self, channel: Channel, die: float) -> Person:
        there = [
            person for id, person in self.people.items() if self.server.world.reads(id, channel)
        ]
        return _pick(there, die)

    def _ada(self) -> Person:
        return self.people[village.ADA]

    # ── Posting ──────────────────────────────────────────────────────────────────────────

    async def _post(self, where: float, who: float, many: float, how: float) -> str:
        files = [self.pictures.draw() for _ in range(1 + int(many**3 * 5))]
        return await self._upload(files, where, who, how)

    async def _post_again(self, where: float, who: float, _: float, how: float) -> str:
        return await self._upload([self.pictures.again(), self.pictures.again()], where, who, how)

    async def _post_broken(self, where: float, who: float, many: float, how: float) -> str:
        files = [self.pictures.draw_broken(), self.pictures.draw()]
        return await self._upload(files[: 1 + round(many)], where, who, how)

    async def _upload(
        self, files: list[tuple[str, bytes]], where: float, who: float, how: float
    ) -> str:
        channel = _pick(self._channels(), where)
        person = self._author(channel, who)
        named = dict(files)
        if how < RARELY:  # as a spoiler
            named = {f"SPOILER_{name}": data for name, data in named.items()}
        posted = await person.post(str(channel.id), "look", pictures=named)
        return f"{posted['id']} in {channel.name}: {', '.join(named)}"

    async def _post_link(self, where: float, who: float, page: float, __: float) -> str:
        channel = _pick(self._channels(), where)
        posted = await self._author(channel, who).post(str(channel.id), self._link(page))
        return f"{posted['id']} in {channel.name}: {posted['content']}"

    def _link(self, page: float) -> str:
        name = self.pictures.keep_in(self.server.world.folder)
        return f"{PAGE_SITE if page < 0.5 else PICTURE_SITE}{name}"

    async def _post_sticker(self, where: float, who: float, which: float, __: float) -> str:
        inside = [c for c in self._channels() if c.guild_id == NEST]
        channel = _pick(inside, where)
        sticker = _pick(village.STICKERS, which)
        posted = await self._author(channel, who).post(str(channel.id), sticker_ids=[str(sticker)])
        return f"{posted['id']} in {channel.name}"

    async def _post_embed(self, where: float, _: float, two: float, __: float) -> str:
        name = self.pictures.keep_in(self.server.world.folder)
        embed: dict[str, Any] = {"type": "rich", "title": name, "image": {"url": f"media:{name}"}}
        if two < RARELY:
            other = self.pictures.keep_in(self.server.world.folder)
            embed["thumbnail"] = {"url": f"media:{other}"}
        return self._post_as_bot(where, embeds=[embed])

    async def _post_components(self, where: float, many: float, hidden: float, __: float) -> str:
        items = [
            {
                "media": {"url": f"media:{self.pictures.keep_in(self.server.world.folder)}"},
                "spoiler": hidden < RARELY,
            }
            for _ in range(1 + int(many * 3))
        ]
        gallery = {"type": 12, "id": 2, "items": items}
        container = {"type": 17, "id": 1, "components": [gallery], "spoiler": hidden > 1 - RARELY}
        return self._post_as_bot(where, components=[container], flags=COMPONENTS_V2)

    def _post_as_bot(self, where: float, **parts: Any) -> str:
        channel = _pick(self._channels(), where)
        core = self.server.core
        message = Message(core.next_id(), channel.id, village.OTHER_BOT, **parts)
        core.post(message)
        return f"{message.id} in {channel.name}"

    async def _forward(self, where: float, who: float, which: float, __: float) -> str:
        channel = _pick(self._channels(), where)
        person = self._author(channel, who)
        original = _pick([m for m in self._messages() if m.attachments or m.embeds], which)
        reference = {
            "type": 1,
            "channel_id": str(original.channel_id),
            "message_id": str(original.id),
        }
        posted = await person.post(str(channel.id), message_reference=reference)
        return f"{original.id} as {posted['id']} in {channel.name}"

    async def _talk(self, where: float, who: float, _: float, __: float) -> str:
        channel = _pick(self._channels(), where)
        await self._author(channel, who).post(str(channel.id), "hm")
        return channel.name

    # ── Editing and deleting ─────────────────────────────────────────────────────────────

    async def _edit(self, message: Message, by: int | None = None, **change: Any) -> str:
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        await self.people[by or message.author_id].request("PATCH", path, json=change)
        return str(message.id)

    async def _drop_attachment(self, which: float, one: float, _: float, __: float) -> str:
        message = _pick(self._own(attachments=True), which)
        gone = _pick(message.attachments, one)
        kept = [{"id": str(other.id)} for other in message.attachments if other is not gone]
        return await self._edit(message, attachments=kept, content="was there more?")

    async def _add_attachment(self, which: float, _: float, __: float, ___: float) -> str:
        message = _pick(self._own(snapshot=False, sticker_ids=False), which)
        name, data = self.pictures.draw()
        kept = [{"id": str(one.id)} for one in message.attachments]
        body = {"attachments": [*kept, {"id": "0", "filename": name}]}
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        form.add_field("files[0]", data, filename=name)
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        await self.people[message.author_id].request("PATCH", path, data=form)
        return f"{message.id}: {name}"

    async def _change_link(self, which: float, page: float, _: float, __: float) -> str:
        linked = [m for m in self._own(embeds=True) if m.content.startswith("http")]
        return await self._edit(_pick(linked, which), content=self._link(page))

    async def _hide_embeds(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._edit(_pick(self._own(embeds=True), which), village.ADA, flags=4)

    async def _reword(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._edit(_pick(self._own(snapshot=False), which), content="rather so")

    async def _delete(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._delete_one(_pick(self._messages(old=False), which))

    async def _delete_old(self, which: float, _: float, __: float, ___: float) -> str:
        shown = [m for m in self._messages(old=True) if m.attachments]
        return await self._delete_one(_pick(shown, which))

    async def _delete_one(self, message: Message) -> str:
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        await self._ada().request("DELETE", path)
        return str(message.id)

    async def _delete_bulk(self, where: float, _: float, many: float, __: float) -> str:
        channel = _pick(self._channels(), where)
        ids = [m.id for m in self._messages(old=False) if m.channel_id == channel.id]
        chosen = ids[-(2 + int(many * 6)) :]
        if len(chosen) < 2:
            raise Nothing
        await self._bulk(channel.id, chosen)
        return f"{len(chosen)} in {channel.name}"

    async def _delete_all_of_one(self, who: float, _: float, __: float, ___: float) -> str:
        """As when somebody is banned with their last messages: in every channel at once."""
        author = _pick(sorted(self.people), who)
        mine = [m for m in self._messages(old=False) if m.author_id == author]
        for channel in {m.channel_id for m in mine}:
            ids = [m.id for m in mine if m.channel_id == channel][-100:]
            if len(ids) > 1:
                await self._bulk(channel, ids)
        return f"{len(mine)} of {village.PEOPLE[author]}"

    async def _bulk(self, channel: int, ids: list[int]) -> None:
        body = {"messages": [str(id) for id in ids]}
        await self._ada().request("POST", f"/channels/{channel}/messages/bulk-delete", json=body)

    # ── Channels and threads ─────────────────────────────────────────────────────────────

    async def _start_thread(self, where: float, who: float, how: float, which: float) -> str:
        parents = [c for c in self._channels() if c.type == TEXT]
        parent = _pick(parents, where)
        person = self._author(parent, who)
        path = f"/channels/{parent.id}/threads"
        kind: dict[str, Any] = {"type": 11 if how < 0.5 else 12}
        if how > 0.8 and (messages := list(self.server.world.messages(parent.id))):
            path = f"/channels/{parent.id}/messages/{_pick(messages, which).id}/threads"
            kind = {}
        name = f"thread-{int(which * 1000)}"
        thread = await person.request("POST", path, json={"name": name, **kind})
        file, data = self.pictures.draw()
        await person.post(thread["id"], "first", pictures={file: data})
        return f"{name} in {parent.name}: {file}"

    async def _post_in_forum(self, where: float, who: float, which: float, __: float) -> str:
        guild = self.server.world.guilds[NEST]
        forum = _pick([c for c in guild.channels.values() if c.type == FORUM], where)
        name, data = self.pictures.draw()
        message = {"content": "see", "attachments": [{"id": "0", "filename": name}]}
        body = {"name": f"post-{int(which * 1000)}", "message": message}
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        form.add_field("files[0]", data, filename=name)
        person = self._author(forum, who)
        post = await person.request("POST", f"/channels/{forum.id}/threads", data=form)
        return f"{post['id']}: {name}"

    def _threads(self, *, archived: bool) -> list[Channel]:
        return [
            channel
            for channel in self._channels()
            if channel.thread is not None and channel.thread.archived == archived
        ]

    async def _archive(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._change(_pick(self._threads(archived=False), which), archived=True)

    async def _wake(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._change(_pick(self._threads(archived=True), which), archived=False)

    async def _delete_thread(self, which: float, _: float, __: float, ___: float) -> str:
        threads = [c for c in self._channels() if c.thread is not None]
        return await self._delete_channel_of(_pick(threads, which))

    async def _join_thread(self, which: float, who: float, _: float, __: float) -> str:
        return await self._thread_member("PUT", which, who)

    async def _leave_thread(self, which: float, who: float, _: float, __: float) -> str:
        return await self._thread_member("DELETE", which, who)

    async def _thread_member(self, method: str, which: float, who: float) -> str:
        threads = [c for c in self._channels() if c.is_private_thread]
        thread = _pick(threads, which)
        user = _pick([village.BO, village.CY, village.DI], who)
        await self._ada().request(method, f"/channels/{thread.id}/thread-members/{user}")
        return f"{village.PEOPLE[user]}, {thread.name}"

    async def _make_channel(self, where: float, kind: float, who: float, __: float) -> str:
        body = {
            "name": f"new-{int(who * 1000)}",
            "type": _pick([TEXT, TEXT, VOICE, FORUM], kind),
            "parent_id": _pick([str(village.OUTDOORS), str(village.INDOORS), None], where),
        }
        made = await self._ada().request("POST", f"/guilds/{NEST}/channels", json=body)
        if body["type"] != FORUM:
            name, data = self.pictures.draw()
            await self._ada().post(made["id"], "new here", pictures={name: data})
        return f"{made['id']} {body['name']} below {body['parent_id']}"

    async def _delete_channel(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._delete_channel_of(_pick(self._movable(), which))

    async def _delete_channel_of(self, channel: Channel) -> str:
        await self._ada().request("DELETE", f"/channels/{channel.id}")
        return f"{channel.id} {channel.name}"

    async def _move_channel(self, which: float, where: float, _: float, __: float) -> str:
        to = _pick([str(village.OUTDOORS), str(village.INDOORS), None], where)
        return await self._change(_pick(self._movable(), which), parent_id=to)

    def _movable(self) -> list[Channel]:
        """Channels but the one in which questions are asked."""
        return [
            channel
            for channel in self.server.world.guilds[NEST].channels.values()
            if channel.thread is None
            and channel.type != CATEGORY
            and channel.id not in (village.GENERAL, village.POSTS)
        ]

    async def _delete_server(self, _: float, __: float, ___: float, ____: float) -> str:
        """Discord tells a bot no more than when it is removed from one."""
        if SHORE in self.wishes.deleted:
            raise Nothing
        self.wishes.deleted.add(SHORE)
        return self._strike("leave", guild_id=str(SHORE))

    async def _change(self, channel: Channel, **change: Any) -> str:
        await self._ada().request("PATCH", f"/channels/{channel.id}", json=change)
        return f"{channel.id} {channel.name}: {change}"

    # ── Who may see what ─────────────────────────────────────────────────────────────────

    async def _give_role(self, who: float, which: float, _: float, __: float) -> str:
        return await self._role("PUT", who, which)

    async def _take_role(self, who: float, which: float, _: float, __: float) -> str:
        return await self._role("DELETE", who, which)

    async def _role(self, method: str, who: float, which: float) -> str:
        guild = self.server.world.guilds[NEST]
        user = _pick([id for id in sorted(self.people) if id in guild.members], who)
        role = _pick([village.INSIDERS, village.CURATORS], which)
        await self._ada().request(method, f"/guilds/{NEST}/members/{user}/roles/{role}")
        return f"{village.PEOPLE[user]}, {guild.roles[role].name}"

    async def _close_role(self, how: float, _: float, __: float, ___: float) -> str:
        """What everybody may do on the server changes: history is closed or opened."""
        bits = village.EVERYONE & (~may.READ_MESSAGE_HISTORY if how < 0.5 else ~0)
        body = {"permissions": str(bits)}
        await self._ada().request("PATCH", f"/guilds/{NEST}/roles/{NEST}", json=body)
        return f"history {'closed' if how < 0.5 else 'open'}"

    async def _close_channel(self, where: float, whom: float, what: float, __: float) -> str:
        bit = may.VIEW_CHANNEL if what < 0.7 else may.READ_MESSAGE_HISTORY
        return self._overwrite_of(where, whom, deny=bit)

    async def _open_channel(self, where: float, whom: float, _: float, __: float) -> str:
        bits = may.VIEW_CHANNEL | may.READ_MESSAGE_HISTORY
        return self._overwrite_of(where, whom, allow=bits)

    def _overwrite_of(self, where: float, whom: float, allow: int = 0, deny: int = 0) -> str:
        channel = _pick(self._places(), where)
        subjects = [NEST, village.INSIDERS, village.CURATORS, village.BO, village.CY, village.DI]
        subject = _pick(subjects, whom)
        is_member = subject in village.PEOPLE
        self._set_overwrite(
            channel, subject, Overwrite(subject, 1 if is_member else 0, allow, deny)
        )
        return f"{channel.name} for {village.PEOPLE.get(subject, subject)}"

    def _places(self) -> list[Channel]:
        """Channels of the first server with permissions of their own, but for the one asked in."""
        guild = self.server.world.guilds[NEST]
        return [
            channel
            for channel in guild.channels.values()
            if channel.thread is None and channel.type != CATEGORY and channel.id != village.GENERAL
        ]

    async def _close_to_bot(self, where: float, how: float, _: float, __: float) -> str:
        bit = may.VIEW_CHANNEL if how < 0.5 else may.READ_MESSAGE_HISTORY
        channel = _pick(self._places(), where)
        self._set_overwrite(channel, village.BOT, Overwrite(village.BOT, 1, 0, bit))
        return channel.name

    async def _open_to_bot(self, _: float, __: float, ___: float, ____: float) -> str:
        closed = [
            channel
            for channel in self._places()
            if any(one.id == village.BOT for one in channel.overwrites)
        ]
        for channel in closed:
            self._set_overwrite(channel, village.BOT, None)
        return ", ".join(channel.name for channel in closed)

    def _set_overwrite(self, channel: Channel, subject: int, overwrite: Overwrite | None) -> None:
        others = [one for one in channel.overwrites if one.id != subject]
        wanted = [*others, *([overwrite] if overwrite else [])]
        if wanted == channel.overwrites:
            return
        channel.overwrites = wanted
        if subject == NEST and overwrite is not None and overwrite.deny:
            # who runs a server lets its bot in where they shut others out
            bits = may.VIEW_CHANNEL | may.READ_MESSAGE_HISTORY
            if not any(one.id == village.OF_THE_BOT for one in wanted):
                wanted.append(Overwrite(village.OF_THE_BOT, 0, bits, 0))
        self.server.core.channel_changed(channel)

    async def _age_restrict(self, where: float, how: float, _: float, __: float) -> str:
        channels = [c for c in self._places() if c.type == TEXT]
        return await self._change(_pick(channels, where), nsfw=how < 0.5)

    async def _join(self, _: float, __: float, ___: float, ____: float) -> str:
        core = self.server.core
        if village.ELI in core.world.guilds[NEST].members:
            raise Nothing
        core.member_came(Member(NEST, village.ELI))
        return "eli"

    async def _leave(self, _: float, __: float, ___: float, ____: float) -> str:
        core = self.server.core
        if village.ELI not in core.world.guilds[NEST].members:
            raise Nothing
        core.member_gone(core.world.guilds[NEST], village.ELI)
        return "eli"

    # ── Wishes ───────────────────────────────────────────────────────────────────────────

    async def _opt_out(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-out", who)

    async def _opt_in(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-in", who)

    async def _erase(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("erase", who)

    def _wish(self, what: str, who: float) -> str:
        user = _pick([village.BO, village.CY, village.DI], who)
        self._later(self._wished(what, user))
        return village.PEOPLE[user]

    async def _wished(self, what: str, user: int) -> None:
        """Ask; only an answer makes it certain."""
        member = (NEST, user)
        if what == "erase":
            self.wishes.erased[member] = self.server.world.snowflakes.next()
        else:
            self.wishes.unsure.add(member)
        deaths = self.bot.deaths
        try:
            async with asyncio.timeout(WISH_S):
                person, where = self.people[user], str(village.GENERAL)
                answer = await person.command("privacy", what, where=where)
        except (Refused, Unanswered, TimeoutError, KeyError):
            return
        if "could not" in answer.text() or "went wrong" in answer.text():  # on a full disk
            return
        if what != "opt-out":  # what was posted before comes again with a reindex only
            self.wishes.erased[member] = self.server.world.snowflakes.next()
        if what != "erase" and self.bot.deaths == deaths:
            self.wishes.unsure.discard(member)
            (self.wishes.out.add if what == "opt-out" else self.wishes.out.discard)(member)

    # ── Faults of the process and the machine ────────────────────────────────────────────

    async def _kill(self, wait: float, _: float, __: float, ___: float) -> str:
        self.bot.wait_s = wait**3 * 8
        self.bot.kill()
        return f"back in {self.bot.wait_s:.1f} s"

    async def _terminate(self, wait: float, _: float, __: float, ___: float) -> str:
        self.bot.wait_s = wait * 2
        self.bot.terminate()
        return f"back in {self.bot.wait_s:.1f} s"

    async def _lock(self, how_long: float, _: float, __: float, ___: float) -> str:
        seconds = _between(LOCK_S, how_long)
        self._later(self._locked(seconds))
        return f"{seconds:.1f} s"

    async def _locked(self, seconds: float) -> None:
        """Hold the file's write lock, as another program may."""
        with contextlib.closing(sqlite3.connect(self.bot.db, timeout=0)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return  # the bot is writing, or nothing is there yet
            await asyncio.sleep(seconds)

    async def _disk_full(self, how_long: float, _: float, __: float, ___: float) -> str:
        if self.ballast is None:
            raise Nothing
        seconds = _between(DISK_S, how_long)
        self._later(self._filled(self.ballast, seconds))
        return f"{seconds:.1f} s"

    async def _filled(self, ballast: Path, seconds: float) -> None:
        try:
            _fill(ballast)
            await asyncio.sleep(seconds)
        finally:
            _empty(ballast)

    async def _file_limit(self, how_long: float, more: float, _: float, __: float) -> str:
        limit = max(_size(Path(f"{self.bot.db}-wal")), 4096) + int(more * 8192)
        seconds = _between(DISK_S, how_long)
        self._later(self._limited(limit, seconds))
        return f"{limit} bytes, {seconds:.1f} s"

    async def _limited(self, limit: int, seconds: float) -> None:
        self.bot.limit_files(limit)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.bot.limit_files(None)

    async def _clock(self, how: float, far: float, how_long: float, _: float) -> str:
        if not self.bot.clock.can_be_wrong:
            raise Nothing
        wrong_s = round(CLOCK_WRONG_S * far**4) * (1 if how < 0.5 else -1)  # mostly a little
        seconds = _between(CLOCK_S, how_long)
        self._later(self._set_wrong(wrong_s, seconds))
        return f"{wrong_s:+} s, for {seconds:.1f} s"

    async def _set_wrong(self, wrong_s: int, seconds: float) -> None:
        self.bot.clock.set(wrong_s)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.bot.clock.set(0)

    # ── Faults of Discord ────────────────────────────────────────────────────────────────

    def _strike(self, kind: str, **how: Any) -> str:
        self.server.strike(kind, **how)
        return " ".join(f"{name}={value}" for name, value in how.items())

    async def _gateway_drop(self, code: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_drop", close_code=_pick([1001, 4000, 4009], code))

    async def _gateway_reconnect(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("gateway_reconnect")

    async def _gateway_invalid(self, how: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_invalid", resumable=how < 0.3)

    async def _gateway_zombie(self, how_long: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_zombie", seconds=round(2 + how_long * 13, 1))

    async def _miss_event(self, which: float, many: float, _: float, __: float) -> str:
        event, times = _pick(MISSABLE, which), 1 + int(many * 3)
        return self._strike("gateway_miss", event=event, times=times)

    async def _miss_permission(self, which: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_miss", event=_pick(ABOUT_PERMISSIONS, which))

    async def _repeat_event(self, which: float, many: float, _: float, __: float) -> str:
        event, times = _pick(REPEATABLE, which), 1 + int(many * 5)
        return self._strike("gateway_repeat", event=event, times=times)

    def _limit(self, scope: str, where: float, wait: float, **more: Any) -> str:
        path = _pick(ROUTES, where) if scope != "global" else None
        after = round(0.1 + wait * 2, 2)
        return self._strike(
            "rate_limit", who="bot", scope=scope, path=path, retry_after=after, **more
        )

    async def _limit_user(self, where: float, wait: float, many: float, _: float) -> str:
        return self._limit("user", where, wait, times=1 + int(many * 3))

    async def _limit_shared(self, where: float, wait: float, many: float, _: float) -> str:
        return self._limit("shared", where, wait, times=1 + int(many * 3))

    async def _limit_global(self, where: float, wait: float, _: float, __: float) -> str:
        return self._limit("global", where, wait)

    async def _limit_plain(self, where: float, wait: float, many: float, _: float) -> str:
        """As from what stands before Discord: without the header that tells it is Discord's."""
        return self._limit("user", where, wait, via=False, times=1 + int(many * 2))

    async def _limit_misleading(self, where: float, wait: float, which: float, _: float) -> str:
        headers = _pick(
            [
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": f"{wait * 3:.2f}"},
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0"},
                {"X-RateLimit-Remaining": "1000000", "X-RateLimit-Limit": "1"},
                {"X-RateLimit-Bucket": "another"},
                {"X-RateLimit-Reset": "0", "X-RateLimit-Remaining": "0"},
            ],
            which,
        )
        return self._strike("headers", who="bot", path=_pick(ROUTES, where), headers=headers)

    async def _error(self, where: float, status: float, many: float, _: float) -> str:
        code = _pick([500, 502, 503, 504], status)
        path, times = _pick(ROUTES, where), 1 + int(many * 4)
        return self._strike("error", who="bot", path=path, status=code, times=times)

    async def _slow(self, where: float, how: float, _: float, __: float) -> str:
        path = _pick(ROUTES, where)
        return self._strike("slow", who="bot", path=path, delay_s=round(how * 4, 1))

    async def _late(self, where: float, how: float, _: float, __: float) -> str:
        path = _pick(ROUTES, where)
        return self._strike("late", who="bot", path=path, delay_s=round(how * 4, 1))

    async def _cut(self, where: float, after: float, many: float, __: float) -> str:
        path, times = _pick(ROUTES, where), 1 + int(many * 3)
        return self._strike("drop", who="bot", path=path, after=after < 0.5, times=times)

    async def _file_error(self, status: float, many: float, _: float, __: float) -> str:
        code = _pick([403, 404, 429, 500, 503], status)
        if code in (403, 404):
            return self._refuse_files("cdn_error", times=1 + int(many * 2), status=code)
        times = 1 + int(many**2 * 12)
        return self._strike("cdn_error", status=code, times=times, path="/attachments/*")

    async def _file_slow(self, how: float, many: float, _: float, __: float) -> str:
        return self._strike("cdn_slow", delay_s=round(how * 0.4, 2), times=1 + int(many * 3))

    async def _file_stalled(self, how: float, _: float, __: float, ___: float) -> str:
        return self._strike("cdn_slow", delay_s=round(5 + how * 20, 1))

    async def _file_truncated(self, size: float, many: float, _: float, __: float) -> str:
        times = 1 + int(many**2 * 8)
        path = "/attachments/*"
        return self._strike("cdn_truncated", bytes=int(size * 600), times=times, path=path)

    async def _file_expired(self, many: float, _: float, __: float, ___: float) -> str:
        return self._refuse_files("cdn_expired", times=1 + int(many * 3))

    def _refuse_files(self, kind: str, times: int, **how: Any) -> str:
        """One after another: what is refused four times in a row is gone, also for the bot."""
        refusals = {("cdn_expired", 500), ("cdn_error", 403), ("cdn_error", 404)}
        if any((one["kind"], one["status"]) in refusals for one in self.server.faults.waiting()):
            raise Nothing
        return self._strike(kind, times=times, **how)

    async def _file_wrong(self, kind: float, many: float, _: float, __: float) -> str:
        content_type = _pick(["text/html", "application/json", "image/png"], kind)
        path = "/attachments/*"  # of other sites' files nobody knows how large they should be
        return self._strike(
            "cdn_wrong", content_type=content_type, times=1 + int(many * 2), path=path
        )

    async def _file_endless(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("cdn_oversized", bytes=None)

    async def _outage(self, which: float, how: float, _: float, __: float) -> str:
        guild = str(_pick([NEST, ROCK], which))
        return self._strike("outage", guild_id=guild, seconds=round(1 + how * 8, 1))

    async def _leave_server(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("leave", guild_id=str(ROCK))

    async def _come_back(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("join", guild_id=str(ROCK))


def disk(stack: contextlib.ExitStack, folder: Path) -> tuple[Path, Path | None]:
    """A small disk for the gallery and the file that can fill it; an ordinary folder and None
    where none can be mounted."""
    place = folder / "disk"
    place.mkdir()
    mounted = os.system(f"mount -t tmpfs -o size=48m tmpfs '{place}' 2>/dev/null") == 0
    if not mounted:
        return place, None
    stack.callback(os.system, f"umount -l '{place}'")
    return place, place / "ballast"


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        piece = 1 << 20
        while piece:
            try:
                file.write(b"\0" * piece)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                piece //= 2


def _empty(ballast: Path) -> None:
    ballast.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _pick(some: Sequence[T], die: float) -> T:
    if not some:
        raise Nothing
    return some[int(die * len(some))]


def _between(limits: tuple[float, float], die: float) -> float:
    return limits[0] + die * (limits[1] - limits[0])
