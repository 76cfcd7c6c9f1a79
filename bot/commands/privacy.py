"""`/privacy`: shows, exports and erases what is kept about a member; how long pictures are kept."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import math
import zipfile
from datetime import UTC, datetime
from typing import Any

import discord
from discord import app_commands

from bot.languages.speech import marked
from bot.ops.logs import fields
from bot.ops.tuning import Limits
from bot.platform.interactions import Interaction, Tree
from bot.platform.links import message_link
from bot.sync.erasure import Erasure
from bot.sync.left_out import LeftOut
from bot.text import privacy as text
from index import Belonging, BookkeepingReader, Links, WatchReader, vectors_file

log = logging.getLogger(__name__)

MOST_DAYS = 3_650


def register(
    tree: Tree,
    links: Links,
    bookkeeping: BookkeepingReader,
    watches: WatchReader,
    left_out: LeftOut,
    erasure: Erasure,
    limits: Limits,
) -> None:
    """Add the commands."""
    tree.add_command(Privacy(links, bookkeeping, watches, left_out, erasure, limits))


@app_commands.guild_only()
class Privacy(app_commands.Group):
    """What Magpie keeps about you"""

    def __init__(
        self,
        links: Links,
        bookkeeping: BookkeepingReader,
        watches: WatchReader,
        left_out: LeftOut,
        erasure: Erasure,
        limits: Limits,
    ) -> None:
        super().__init__(
            name=marked("privacy"),
            description=marked("What Magpie keeps about you on this server"),
        )
        self._links = links
        self._bookkeeping = bookkeeping
        self._watches = watches
        self._left_out = left_out
        self._erasure = erasure
        self._limits = limits

    @app_commands.command(
        name=marked("status"), description=marked("What is kept about you on this server")
    )
    async def status(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        answer = text.privacy(
            pictures=await self._links.count_of_owner(space, member),
            searches=len(await self._bookkeeping.searches_of(space, member)),
            watches=len(await self._watches.of_owner(space, member)),
            days=await self._bookkeeping.days_kept(space),
            opted_out=self._left_out.opted_out(space, member),
            erased_upto=self._left_out.erased_upto(space, member),
        )
        await interaction.edit_original_response(content=answer)

    @app_commands.command(
        name=marked("opt-out"), description=marked("Erase your pictures here, and take no more")
    )
    async def opt_out(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        erased = await self._left_out.opt_out(space, member)
        log.info(fields("opted_out", guild=space, pictures=erased))
        await interaction.edit_original_response(content=text.opted_out(erased))

    @app_commands.command(
        name=marked("opt-in"), description=marked("Let your pictures be found here again")
    )
    @app_commands.rename(earlier=marked("earlier"))
    @app_commands.describe(
        earlier=marked("Let those from before come back, too (otherwise what you erased stays out)")
    )
    async def opt_in(self, interaction: Interaction, earlier: bool = False) -> None:
        space, member = await _asker(interaction)
        was_out = self._left_out.opted_out(space, member)
        after = -math.inf if earlier else interaction.created_at.timestamp()
        await self._left_out.opt_in(space, member, after)
        answer = text.opted_in(
            was_out=was_out,
            earlier=earlier,
            erased_upto=self._left_out.erased_upto(space, member),
        )
        await interaction.edit_original_response(content=answer)

    @app_commands.command(
        name=marked("erase"),
        description=marked("Erase the pictures you have posted here so far, and your questions"),
    )
    async def erase(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        erased = await self._left_out.erase(space, member, interaction.created_at.timestamp())
        log.info(fields("erased", guild=space, pictures=erased))
        out = self._left_out.opted_out(space, member)
        await interaction.edit_original_response(content=text.erased(erased, opted_out=out))

    @app_commands.command(
        name=marked("export"),
        description=marked("All that is kept about you on this server, as files"),
    )
    async def export(self, interaction: Interaction) -> None:
        space, member = await _asker(interaction)
        model = await self._links.model()
        questions = await self._bookkeeping.searches_of(space, member)
        watches = await self._watches.of_owner(space, member)
        erased_upto = self._left_out.erased_upto(space, member)
        about: dict[str, Any] = {
            "server": str(space),
            "member": str(member),
            "model": model.name if model else "",
            "opted_out": self._left_out.opted_out(space, member),
            "erased_upto": None if erased_upto is None else _iso(erased_upto),
            "kept_for_days": await self._bookkeeping.days_kept(space),
            "questions": [question.to_json() for question in questions],
            "watches": [watch.to_json() for watch in watches],
            "told_of_watches_at": [
                _iso(at) for at in await self._watches.sent_since(space, member, 0.0)
            ],
        }
        after, number, limit = 0, 0, self._limits.export_pictures
        while True:
            found = await self._links.belongings(space, member, after=after, limit=limit)
            if not found and number:
                return
            number += 1
            packed = await asyncio.to_thread(packed_export, about, [one for _, one in found])
            file = discord.File(io.BytesIO(packed), f"magpie-about-you-{number}.zip")
            if number == 1:
                await interaction.edit_original_response(
                    content=text.exported(), attachments=[file]
                )
            else:
                await interaction.followup.send(file=file, ephemeral=True)
            if not found:
                return
            after = found[-1][0]

    @app_commands.command(
        name=marked("retention"),
        description=marked("For how many days pictures stay in the index (admins)"),
    )
    @app_commands.checks.has_permissions(manage_guild=True)
    @app_commands.rename(days=marked("days"))
    @app_commands.describe(
        days=marked("Older pictures are erased; 0 keeps them as long as their message")
    )
    async def retention(
        self, interaction: Interaction, days: app_commands.Range[int, 0, MOST_DAYS]
    ) -> None:
        space, _ = await _asker(interaction)
        await self._erasure.keep_for(space, days)
        await interaction.edit_original_response(content=text.retention(days))


async def _asker(interaction: Interaction) -> tuple[int, int]:
    """The ids of guild and member; acknowledges the command, for an answer that only they see."""
    await interaction.response.defer(ephemeral=True)
    assert interaction.guild_id is not None
    return interaction.guild_id, interaction.user.id


def packed_export(about: dict[str, Any], belongings: list[Belonging]) -> bytes:
    """A zip of about-you.json, of vectors.npy, whose rows are in the order of the pictures, and of
    the stills of videos and animations."""
    pictures = [_described(one) for one in belongings]
    text = json.dumps(about | {"pictures": pictures}, ensure_ascii=False, indent=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("about-you.json", text)
        file.writestr("vectors.npy", vectors_file(belongings))
        for number, one in enumerate(belongings, start=1):
            for moment in one.moments:
                file.writestr(f"stills/{number}-at-{moment.second:g}-s.webp", moment.still)
    return packed.getvalue()


def _described(one: Belonging) -> dict[str, Any]:
    link = one.link
    return {
        "message": message_link(link.space, link.group.id, link.source),
        "channel": str(link.group.id),
        "posted_at": _iso(link.posted_at),
        "file": link.name,
        "kind": one.kind,
        "text": one.text,
        "spoiler": link.spoiler,
        "details": dict(link.details),
        "vectors": len(one.vectors),
        "seconds": [moment.second for moment in one.moments],
        "words": list(one.words),
    }


def _iso(seconds: float) -> str:
    """A moment in Unix seconds, as a date and a time of day in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
