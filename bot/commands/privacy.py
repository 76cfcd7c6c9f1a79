"""`/privacy`: what is kept about a member, as a file, and gone; and for how long pictures are kept.

Who opted out is remembered in the gallery, which refuses their pictures whoever brings them;
here it is known too, so that nothing of theirs is even downloaded.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.ask.answers import JUMP
from bot.commands.channels import demand_manage_server
from bot.ops.logs import fields
from bot.text import replies
from index import Belonging, StoreError, vectors_file

if TYPE_CHECKING:
    from bot.app import Interaction, Magpie

log = logging.getLogger(__name__)

# Pictures in one file of an export: with 512 numbers each, some 7 MB; Discord takes 10.
FILE_PICTURES = 3_500
MOST_DAYS = 3_650


class OptedOut:
    """Who wants none of their pictures kept, by guild."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._people: set[tuple[int, int]] = set()

    async def load(self) -> None:
        self._people = await self._client.gallery.opted_out()

    def __contains__(self, guild_and_member: tuple[int, int]) -> bool:
        return guild_and_member in self._people

    async def add(self, guild_id: int, member_id: int) -> int:
        """From now on nothing of theirs is taken; returns how many pictures went."""
        was_out = (guild_id, member_id) in self._people
        self._people.add((guild_id, member_id))
        try:
            return await self._client.gallery.opt_out(guild_id, member_id)
        except StoreError:  # they are told that it could not be done
            if not was_out:
                self._people.discard((guild_id, member_id))
            raise

    async def discard(self, guild_id: int, member_id: int) -> None:
        await self._client.gallery.opt_in(guild_id, member_id)
        self._people.discard((guild_id, member_id))


def register(client: Magpie) -> None:
    client.tree.add_command(Privacy())


@app_commands.guild_only()
class Privacy(app_commands.Group):
    """What Magpie keeps about you"""

    def __init__(self) -> None:
        super().__init__(name="privacy", description="What Magpie keeps about you on this server")

    @app_commands.command(description="What is kept about you on this server")
    async def status(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        client = interaction.client
        answer = replies.privacy(
            pictures=await client.gallery.count_of_owner(space, member),
            searches=len(await client.gallery.searches_of(space, member)),
            days=(await client.gallery.retention()).get(space),
            opted_out=(space, member) in client.opted_out,
        )
        await interaction.edit_original_response(content=answer)

    @app_commands.command(name="opt-out", description="Erase your pictures here, and take no more")
    async def opt_out(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        erased = await interaction.client.opted_out.add(space, member)
        log.info(fields("opted_out", guild=space, pictures=erased))
        await interaction.edit_original_response(content=replies.opted_out(erased))

    @app_commands.command(name="opt-in", description="Let your pictures be found here again")
    async def opt_in(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        before = (space, member) in interaction.client.opted_out
        await interaction.client.opted_out.discard(space, member)
        await interaction.edit_original_response(content=replies.opted_in(was_out=before))

    @app_commands.command(description="Erase your pictures and questions here from the index")
    async def erase(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        erased = await interaction.client.gallery.remove_owner(space, member)
        log.info(fields("erased", guild=space, pictures=erased))
        out = (space, member) in interaction.client.opted_out
        await interaction.edit_original_response(content=replies.erased(erased, opted_out=out))

    @app_commands.command(description="All that is kept about you on this server, as files")
    async def export(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        client = interaction.client
        about: dict[str, Any] = {
            "server": str(space),
            "member": str(member),
            "model": client.gallery.model,
            "opted_out": (space, member) in client.opted_out,
            "kept_for_days": (await client.gallery.retention()).get(space),
            "questions": await client.gallery.searches_of(space, member),
        }
        after, number = 0, 0
        while True:
            found = await client.gallery.belongings(space, member, after=after, limit=FILE_PICTURES)
            if not found and number:
                return
            number += 1
            packed = await asyncio.to_thread(packed_export, about, [one for _, one in found])
            file = discord.File(io.BytesIO(packed), f"magpie-about-you-{number}.zip")
            if number == 1:
                await interaction.edit_original_response(
                    content=replies.exported(), attachments=[file]
                )
            else:
                await interaction.followup.send(file=file, ephemeral=True)
            if len(found) < FILE_PICTURES:
                return
            after = found[-1][0]

    @app_commands.command(description="For how many days pictures stay in the index (admins)")
    @app_commands.describe(days="Older pictures are erased; 0 keeps them as long as their message")
    async def retention(
        self, interaction: Interaction, days: app_commands.Range[int, 0, MOST_DAYS]
    ) -> None:
        space, _ = await _asker(interaction)
        demand_manage_server(interaction)
        await interaction.client.gallery.set_retention(space, days or None)
        erased = await interaction.client.upkeep.expire(space)
        log.info(fields("retention_set", guild=space, days=days, pictures=erased))
        await interaction.edit_original_response(content=replies.retention(days, erased))


async def _asker(interaction: Interaction) -> tuple[int, int]:
    """The guild and the member; only they see the answer."""
    await interaction.response.defer(ephemeral=True)
    assert interaction.guild_id is not None
    return interaction.guild_id, interaction.user.id


def packed_export(about: dict[str, Any], belongings: list[Belonging]) -> bytes:
    """A zip: about-you.json, and vectors.npy, whose rows belong to the pictures in their order."""
    pictures = [_described(one) for one in belongings]
    text = json.dumps(about | {"pictures": pictures}, ensure_ascii=False, indent=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("about-you.json", text)
        file.writestr("vectors.npy", vectors_file(belongings))
    return packed.getvalue()


def _described(one: Belonging) -> dict[str, Any]:
    link = one.link
    return {
        "message": f"{JUMP}/{link.space}/{link.group.id}/{link.source}",
        "channel": str(link.group.id),
        "posted_at": datetime.fromtimestamp(link.posted_at, UTC).isoformat(),
        "file": link.name,
        "kind": one.kind,
        "text": one.text,
        "spoiler": link.spoiler,
        "details": dict(link.details),
        "vectors": len(one.vectors),
    }
