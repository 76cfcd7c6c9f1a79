"""What people do with messages: post, edit and delete them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from checks.chaos import servers
from checks.chaos.candidates import Candidates, pick
from checks.chaos.pictures import Pictures
from checks.chaos.servers import NEST
from sandbox import Server
from sandbox.links import PAGE_SITE, PICTURE_SITE
from sandbox.world import COMPONENTS_V2, Message

RARELY = 0.25


@dataclass
class Posts:
    """Each method is a step of the schedule. It returns what came of it, for the log."""

    server: Server
    candidates: Candidates
    pictures: Pictures

    # ── Posting ──────────────────────────────────────────────────────────────────────────

    async def post(self, where: float, who: float, many: float, how: float) -> str:
        files = [self.pictures.draw() for _ in range(1 + int(many**3 * 5))]
        return await self._upload(files, where, who, how)

    async def post_again(self, where: float, who: float, _: float, how: float) -> str:
        return await self._upload([self.pictures.again(), self.pictures.again()], where, who, how)

    async def post_broken(self, where: float, who: float, many: float, how: float) -> str:
        files = [self.pictures.draw_broken(), self.pictures.draw()]
        return await self._upload(files[: 1 + round(many)], where, who, how)

    async def _upload(
        self, files: list[tuple[str, bytes]], where: float, who: float, how: float
    ) -> str:
        channel = pick(self.candidates.channels(), where)
        person = self.candidates.author(channel, who)
        named = dict(files)
        if how < RARELY:  # post them as spoilers
            named = {f"SPOILER_{name}": data for name, data in named.items()}
        posted = await person.post(str(channel.id), "look", pictures=named)
        return f"{posted['id']} in {channel.name}: {', '.join(named)}"

    async def post_link(self, where: float, who: float, page: float, __: float) -> str:
        channel = pick(self.candidates.channels(), where)
        posted = await self.candidates.author(channel, who).post(str(channel.id), self._link(page))
        return f"{posted['id']} in {channel.name}: {posted['content']}"

    def _link(self, page: float) -> str:
        name = self.pictures.keep_in(self.server.world.folder)
        return f"{PAGE_SITE if page < 0.5 else PICTURE_SITE}{name}"

    async def post_sticker(self, where: float, who: float, which: float, __: float) -> str:
        inside = [c for c in self.candidates.channels() if c.guild_id == NEST]
        channel = pick(inside, where)
        sticker = pick(servers.STICKERS, which)
        person = self.candidates.author(channel, who)
        posted = await person.post(str(channel.id), sticker_ids=[str(sticker)])
        return f"{posted['id']} in {channel.name}"

    async def post_embed(self, where: float, _: float, two: float, __: float) -> str:
        name = self.pictures.keep_in(self.server.world.folder)
        embed: dict[str, Any] = {"type": "rich", "title": name, "image": {"url": f"media:{name}"}}
        if two < RARELY:
            other = self.pictures.keep_in(self.server.world.folder)
            embed["thumbnail"] = {"url": f"media:{other}"}
        return self._post_as_bot(where, embeds=[embed])

    async def post_components(self, where: float, many: float, hidden: float, __: float) -> str:
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
        channel = pick(self.candidates.channels(), where)
        core = self.server.core
        message = Message(core.next_id(), channel.id, servers.OTHER_BOT, **parts)
        core.post(message)
        return f"{message.id} in {channel.name}"

    async def forward(self, where: float, who: float, which: float, __: float) -> str:
        channel = pick(self.candidates.channels(), where)
        person = self.candidates.author(channel, who)
        original = pick([m for m in self.candidates.messages() if m.attachments or m.embeds], which)
        reference = {
            "type": 1,
            "channel_id": str(original.channel_id),
            "message_id": str(original.id),
        }
        posted = await person.post(str(channel.id), message_reference=reference)
        return f"{original.id} as {posted['id']} in {channel.name}"

    async def talk(self, where: float, who: float, _: float, __: float) -> str:
        channel = pick(self.candidates.channels(), where)
        await self.candidates.author(channel, who).post(str(channel.id), "hm")
        return channel.name

    # ── Editing and deleting ─────────────────────────────────────────────────────────────

    async def _edit(self, message: Message, by: int | None = None, **change: Any) -> str:
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        await self.candidates.people[by or message.author_id].request("PATCH", path, json=change)
        return str(message.id)

    async def drop_attachment(self, which: float, one: float, _: float, __: float) -> str:
        message = pick(self.candidates.own(attachments=True), which)
        gone = pick(message.attachments, one)
        kept = [{"id": str(other.id)} for other in message.attachments if other is not gone]
        return await self._edit(message, attachments=kept, content="was there more?")

    async def add_attachment(self, which: float, _: float, __: float, ___: float) -> str:
        message = pick(self.candidates.own(snapshot=False, sticker_ids=False), which)
        name, data = self.pictures.draw()
        kept = [{"id": str(one.id)} for one in message.attachments]
        body = {"attachments": [*kept, {"id": "0", "filename": name}]}
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(body), content_type="application/json")
        form.add_field("files[0]", data, filename=name)
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        await self.candidates.people[message.author_id].request("PATCH", path, data=form)
        return f"{message.id}: {name}"

    async def change_link(self, which: float, page: float, _: float, __: float) -> str:
        linked = [m for m in self.candidates.own(embeds=True) if m.content.startswith("http")]
        return await self._edit(pick(linked, which), content=self._link(page))

    async def hide_embeds(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._edit(pick(self.candidates.own(embeds=True), which), servers.ADA, flags=4)

    async def reword(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._edit(
            pick(self.candidates.own(snapshot=False), which), content="rather so"
        )

    async def delete(self, which: float, _: float, __: float, ___: float) -> str:
        return await self._delete_one(pick(self.candidates.messages(old=False), which))

    async def delete_old(self, which: float, _: float, __: float, ___: float) -> str:
        shown = [m for m in self.candidates.messages(old=True) if m.attachments]
        return await self._delete_one(pick(shown, which))

    async def _delete_one(self, message: Message) -> str:
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        await self.candidates.ada.request("DELETE", path)
        return str(message.id)

    async def delete_bulk(self, where: float, _: float, many: float, __: float) -> str:
        by_channel: dict[int, list[int]] = {}
        for message in self.candidates.messages(old=False):
            by_channel.setdefault(message.channel_id, []).append(message.id)
        several = [(channel, ids) for channel, ids in by_channel.items() if len(ids) > 1]
        channel, ids = pick(several, where)
        chosen = ids[-(2 + int(many * 6)) :]
        await self._bulk(channel, chosen)
        return f"{len(chosen)} in {channel}"

    async def delete_all_of_one(self, who: float, _: float, __: float, ___: float) -> str:
        """Delete all messages of a person in every channel, as a ban can do."""
        author = pick(sorted(self.candidates.people), who)
        mine = [m for m in self.candidates.messages(old=False) if m.author_id == author]
        for channel in {m.channel_id for m in mine}:
            ids = [m.id for m in mine if m.channel_id == channel][-100:]
            if len(ids) > 1:
                await self._bulk(channel, ids)
        return f"{len(mine)} of {servers.PEOPLE[author]}"

    async def _bulk(self, channel: int, ids: list[int]) -> None:
        body = {"messages": [str(id) for id in ids]}
        await self.candidates.ada.request(
            "POST", f"/channels/{channel}/messages/bulk-delete", json=body
        )
