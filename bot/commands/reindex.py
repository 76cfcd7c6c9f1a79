"""`/reindex`, which reads everything once more, and its buttons, which pause, resume or cancel it.

The buttons contain the job's id, so that they work after a restart. Every click checks that the
member may manage the server.
"""

from __future__ import annotations

import re
from typing import Any

import discord
from discord import app_commands

from bot.ask.respond import answering_button, explain
from bot.commands.options import Channel
from bot.languages.speech import marked
from bot.platform.interactions import Interaction, Tree
from bot.reindex.jobs import Jobs
from bot.reindex.run import Run
from bot.sync.ingest import What
from bot.text import reindex as text


def register(tree: Tree, jobs: Jobs) -> None:
    """Add `/reindex`, and have its buttons answered."""

    @tree.command(
        name=marked("reindex"),
        description=marked("Read the history again and index what is missing"),
    )
    @app_commands.rename(channel=marked("channel"), what=marked("what"))
    @app_commands.describe(
        channel=marked("Only this channel or category (otherwise all that is watched)"),
        what=marked("Missing pictures only (the default), or everything again"),
    )
    @app_commands.choices(
        what=[
            app_commands.Choice(name=marked("missing pictures only"), value="missing"),
            app_commands.Choice(name=marked("everything again"), value="everything"),
        ]
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def reindex(
        interaction: Interaction, channel: Channel | None = None, what: What = "missing"
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        assert interaction.guild is not None
        answer = await jobs.ask(interaction, interaction.guild, channel, what)
        if answer is not None:
            await interaction.edit_original_response(content=answer)

    async def pause(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        if (run := await _clicked(interaction, jobs, int(match["job"]))) is not None:
            await run.pause_or_resume()

    async def cancel(interaction: discord.Interaction[Any], match: re.Match[str]) -> None:
        if (run := await _clicked(interaction, jobs, int(match["job"]))) is not None:
            await run.cancel()

    tree.client.add_dynamic_items(
        answering_button(r"p:(?P<job>\d+)", pause), answering_button(r"c:(?P<job>\d+)", cancel)
    )


async def _clicked(interaction: discord.Interaction[Any], jobs: Jobs, job: int) -> Run | None:
    """The job of a clicked button, if the member may control it; else they are told why not."""
    if not interaction.permissions.manage_guild:
        await explain(interaction, app_commands.MissingPermissions(["manage_guild"]))
        return None
    run = jobs.by_id(job)
    if run is None or run.space != interaction.guild_id or not run.active:
        await interaction.response.send_message(text.reindex_over(), ephemeral=True)
        return None
    if run.of_a_model:
        await interaction.response.send_message(text.model_changes(), ephemeral=True)
        return None
    await interaction.response.defer()
    return run
