"""`/reindex` and its buttons: begin to read everything once more; pause, resume or cancel that.

The buttons are dynamic items: they carry the job's id, work after a restart, and check Manage
Server at every click.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from discord import app_commands, ui

from bot.commands.channels import Channel, demand_manage_server
from bot.sync.ingest import What
from bot.text import replies

if TYPE_CHECKING:
    from bot.app import Interaction, Magpie
    from bot.reindex.run import Run

Button = ui.Button[ui.View]


def register(client: Magpie) -> None:
    client.tree.add_command(reindex)


@app_commands.command(description="Read the history again and index what is missing")
@app_commands.describe(
    channel="Only this channel or category (otherwise all that is watched)",
    what="Missing pictures only (the default), or everything again",
)
@app_commands.choices(
    what=[
        app_commands.Choice(name="missing pictures only", value="missing"),
        app_commands.Choice(name="everything again", value="everything"),
    ]
)
@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
async def reindex(
    interaction: Interaction, channel: Channel | None = None, what: What = "missing"
) -> None:
    await interaction.response.defer(ephemeral=True)
    demand_manage_server(interaction)
    assert interaction.guild is not None
    answer = await interaction.client.reindexing.ask(interaction, interaction.guild, channel, what)
    if answer is not None:
        await interaction.edit_original_response(content=answer)


def buttons(job: int, status: str) -> ui.View:
    """The buttons of a job that is running or paused."""
    view = ui.View(timeout=None)
    view.add_item(PauseButton(job, status))
    view.add_item(CancelButton(job))
    return view


class PauseButton(ui.DynamicItem[Button], template=r"p:(?P<job>\d+)"):
    """Pause or resume a job."""

    def __init__(self, job: int, status: str = "running") -> None:
        label = "Pause" if status == "running" else "Resume"
        super().__init__(Button(label=label, custom_id=f"p:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # our own client
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        if (run := await _clicked(interaction, self.job)) is not None:
            await run.pause_or_resume()


class CancelButton(ui.DynamicItem[Button], template=r"c:(?P<job>\d+)"):
    """Cancel a job; what it has indexed stays."""

    def __init__(self, job: int) -> None:
        super().__init__(Button(label="Cancel", custom_id=f"c:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # our own client
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        if (run := await _clicked(interaction, self.job)) is not None:
            await run.cancel()


DYNAMIC_ITEMS = (PauseButton, CancelButton)


async def _clicked(interaction: Interaction, job: int) -> Run | None:
    """The job of a clicked button, if the clicker may steer it; else they are told why not."""
    try:
        demand_manage_server(interaction)
    except app_commands.MissingPermissions as refusal:
        await interaction.client.explain(interaction, refusal)
        return None
    run = interaction.client.reindexing.by_id(job)
    if run is None or run.space != interaction.guild_id or not run.active:
        await interaction.response.send_message(replies.REINDEX_OVER, ephemeral=True)
        return None
    await interaction.response.defer()
    return run
