"""What people do with channels and threads: make, move, delete them, and set who sees what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from checks.chaos import servers
from checks.chaos.candidates import Candidates, NoCandidate, pick
from checks.chaos.pictures import Pictures
from checks.chaos.servers import NEST, SHORE
from checks.chaos.truth import Wishes
from sandbox import Server
from sandbox import permissions as may
from sandbox.world import CATEGORY, FORUM, TEXT, VOICE, Channel, Member, Overwrite


@dataclass
class Places:
    """Each method is a step of the schedule. It returns what came of it, for the log."""

    server: Server
    candidates: Candidates
    pictures: Pictures
    wishes: Wishes

    def calm(self) -> None:
        """Open to the bot every channel that was closed to it."""
        for channel in list(self.server.world.guilds[NEST].channels.values()):
            self._set_overwrite(channel, servers.BOT, None)

    # ── Channels and threads ─────────────────────────────────────────────────────────────

    async def start_thread(self, where: float, who: float, how: float, which: float) -> str:
        parents = [c for c in self.candidates.channels() if c.type == TEXT]
        parent = pick(parents, where)
        person = self.candidates.author(parent, who)
        path = f"/channels/{parent.id}/threads"
        kind: dict[str, Any] = {"type": 11 if how < 0.5 else 12}
        if how > 0.8 and (messages := list(self.server.world.messages(parent.id))):
            path = f"/channels/{parent.id}/messages/{pick(messages, which).id}/threads"
            kind = {}
        name = f"thread-{int(which * 1000)}"
        thread = await person.request("POST", path, json={"name": name, **kind})
        file, data = self.pictures.draw()
        await person.post(thread["id"], "first", pictures={file: data})
        return f"{name} in {parent.name}: {file}"

    async def post_in_forum(self, where: float, who: float, which: float, __: float) -> str:
        guild = self.server.world.guilds[NEST]
        forum = pick([c for c in guild.channels.values() if c.type == FORUM], where)
        name, data = self.pictures.draw()
        message = {"content": "see", "attachments": [{"id": "0", "filename": name}]}
        body = {"name": f"post-{int(which * 1000)}", "message": message}
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        form.add_field("files[0]", data, filename=name)
        person = self.candidates.author(forum, who)
        post = await person.request("POST", f"/channels/{forum.id}/threads", data=form)
        return f"{post['id']}: {name}"

    def _threads(self, *, archived: bool) -> list[Channel]:
        return [
            channel
            for channel in self.candidates.channels()
            if channel.thread is not None and channel.thread.archived == archived
        ]

    async def archive(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._change(pick(self._threads(archived=False), which), archived=True)

    async def wake(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._change(pick(self._threads(archived=True), which), archived=False)

    async def delete_thread(self, which: float, _: float, __: float, ___: float) -> str:
        threads = [c for c in self.candidates.channels() if c.thread is not None]
        return await self._delete_channel_of(pick(threads, which))

    async def join_thread(self, which: float, who: float, _: float, __: float) -> str:
        return await self._thread_member("PUT", which, who)

    async def leave_thread(self, which: float, who: float, _: float, __: float) -> str:
        return await self._thread_member("DELETE", which, who)

    async def _thread_member(self, method: str, which: float, who: float) -> str:
        threads = [c for c in self.candidates.channels() if c.is_private_thread]
        thread = pick(threads, which)
        user = pick([servers.BO, servers.CY, servers.DI], who)
        await self.candidates.ada.request(method, f"/channels/{thread.id}/thread-members/{user}")
        return f"{servers.PEOPLE[user]}, {thread.name}"

    async def make_channel(self, where: float, kind: float, who: float, __: float) -> str:
        body = {
            "name": f"new-{int(who * 1000)}",
            "type": pick([TEXT, TEXT, VOICE, FORUM], kind),
            "parent_id": pick([str(servers.OUTDOORS), str(servers.INDOORS), None], where),
        }
        made = await self.candidates.ada.request("POST", f"/guilds/{NEST}/channels", json=body)
        if body["type"] != FORUM:
            name, data = self.pictures.draw()
            await self.candidates.ada.post(made["id"], "new here", pictures={name: data})
        return f"{made['id']} {body['name']} below {body['parent_id']}"

    async def delete_channel(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._delete_channel_of(pick(self._movable(), which))

    async def _delete_channel_of(self, channel: Channel) -> str:
        await self.candidates.ada.request("DELETE", f"/channels/{channel.id}")
        return f"{channel.id} {channel.name}"

    async def move_channel(self, which: float, where: float, _: float, __: float) -> str:
        to = pick([str(servers.OUTDOORS), str(servers.INDOORS), None], where)
        return await self._change(pick(self._movable(), which), parent_id=to)

    def _movable(self) -> list[Channel]:
        """All channels except the one in which questions are asked, and the forum."""
        return [
            channel
            for channel in self.server.world.guilds[NEST].channels.values()
            if channel.thread is None
            and channel.type != CATEGORY
            and channel.id not in (servers.GENERAL, servers.POSTS)
        ]

    async def delete_server(self, _: float, __: float, ___: float, ____: float) -> str:
        """For the bot this looks like being removed from a server: Discord sends the same event."""
        if SHORE in self.wishes.deleted:
            raise NoCandidate
        self.wishes.deleted.add(SHORE)
        self.server.strike("leave", guild_id=str(SHORE))
        return f"guild_id={SHORE}"

    async def _change(self, channel: Channel, **change: Any) -> str:
        await self.candidates.ada.request("PATCH", f"/channels/{channel.id}", json=change)
        return f"{channel.id} {channel.name}: {change}"

    # ── Who may see what ─────────────────────────────────────────────────────────────────

    async def give_role(self, who: float, which: float, _: float, __: float) -> str:
        return await self._role("PUT", who, which)

    async def take_role(self, who: float, which: float, _: float, __: float) -> str:
        return await self._role("DELETE", who, which)

    async def _role(self, method: str, who: float, which: float) -> str:
        guild = self.server.world.guilds[NEST]
        user = pick([id for id in sorted(self.candidates.people) if id in guild.members], who)
        role = pick([servers.INSIDERS, servers.CURATORS], which)
        await self.candidates.ada.request(method, f"/guilds/{NEST}/members/{user}/roles/{role}")
        return f"{servers.PEOPLE[user]}, {guild.roles[role].name}"

    async def close_role(self, how: float, _: float, __: float, ___: float) -> str:
        """Change what everybody may do on the server: close the history, or open it."""
        bits = servers.EVERYONE & (~may.READ_MESSAGE_HISTORY if how < 0.5 else ~0)
        body = {"permissions": str(bits)}
        await self.candidates.ada.request("PATCH", f"/guilds/{NEST}/roles/{NEST}", json=body)
        return f"history {'closed' if how < 0.5 else 'open'}"

    async def close_channel(self, where: float, whose: float, what: float, __: float) -> str:
        bit = may.VIEW_CHANNEL if what < 0.7 else may.READ_MESSAGE_HISTORY
        return self._overwrite_of(where, whose, deny=bit)

    async def open_channel(self, where: float, whose: float, _: float, __: float) -> str:
        bits = may.VIEW_CHANNEL | may.READ_MESSAGE_HISTORY
        return self._overwrite_of(where, whose, allow=bits)

    def _overwrite_of(self, where: float, whose: float, allow: int = 0, deny: int = 0) -> str:
        channel = pick(self._places(), where)
        subjects = [NEST, servers.INSIDERS, servers.CURATORS, servers.BO, servers.CY, servers.DI]
        subject = pick(subjects, whose)
        is_member = subject in servers.PEOPLE
        self._set_overwrite(
            channel, subject, Overwrite(subject, 1 if is_member else 0, allow, deny)
        )
        return f"{channel.name} for {servers.PEOPLE.get(subject, subject)}"

    def _places(self) -> list[Channel]:
        """Channels of the first server, except the one in which questions are asked.

        Threads aren't among them: they have no permissions of their own.
        """
        guild = self.server.world.guilds[NEST]
        return [
            channel
            for channel in guild.channels.values()
            if channel.thread is None and channel.type != CATEGORY and channel.id != servers.GENERAL
        ]

    async def close_to_bot(self, where: float, how: float, _: float, __: float) -> str:
        bit = may.VIEW_CHANNEL if how < 0.5 else may.READ_MESSAGE_HISTORY
        channel = pick(self._places(), where)
        self._set_overwrite(channel, servers.BOT, Overwrite(servers.BOT, 1, 0, bit))
        return channel.name

    async def open_to_bot(self, _: float, __: float, ___: float, ____: float) -> str:
        closed = [
            channel
            for channel in self._places()
            if any(one.id == servers.BOT for one in channel.overwrites)
        ]
        for channel in closed:
            self._set_overwrite(channel, servers.BOT, None)
        return ", ".join(channel.name for channel in closed)

    def _set_overwrite(self, channel: Channel, subject: int, overwrite: Overwrite | None) -> None:
        others = [one for one in channel.overwrites if one.id != subject]
        wanted = [*others, *([overwrite] if overwrite else [])]
        if wanted == channel.overwrites:
            return
        channel.overwrites = wanted
        if subject == NEST and overwrite is not None and overwrite.deny:
            # Admins let their bot into channels that they close to others.
            bits = may.VIEW_CHANNEL | may.READ_MESSAGE_HISTORY
            if not any(one.id == servers.OF_THE_BOT for one in wanted):
                wanted.append(Overwrite(servers.OF_THE_BOT, 0, bits, 0))
        self.server.core.channel_changed(channel)

    async def age_restrict(self, where: float, how: float, _: float, __: float) -> str:
        channels = [c for c in self._places() if c.type == TEXT]
        return await self._change(pick(channels, where), nsfw=how < 0.5)

    async def join(self, _: float, __: float, ___: float, ____: float) -> str:
        core = self.server.core
        if servers.ELI in core.world.guilds[NEST].members:
            raise NoCandidate
        core.member_came(Member(NEST, servers.ELI))
        return "eli"

    async def leave(self, _: float, __: float, ___: float, ____: float) -> str:
        core = self.server.core
        if servers.ELI not in core.world.guilds[NEST].members:
            raise NoCandidate
        core.member_gone(core.world.guilds[NEST], servers.ELI)
        return "eli"
