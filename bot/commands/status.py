"""`/status`: what is indexed, how fast, what waits, and with which model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import discord
from discord import app_commands

from bot.access.counts import readable_there
from bot.access.permissions import refuse_in_outage, sees
from bot.languages.speech import marked
from bot.ops.metrics import Metrics
from bot.ops.unread import UnreadCounts
from bot.platform.interactions import Interaction, Tree
from bot.platform.places import group_of
from bot.reindex.jobs import Jobs
from bot.sync.backlog import Backlog
from bot.sync.live import Live
from bot.sync.transcribing import Transcribing
from bot.sync.watched import Watched
from bot.sync.writer import ModelChange
from bot.text import status as text
from bot.text.status import ChannelStatus, Status
from index import Filter, Links

VECTOR_COPIES = 2  # float32: in the database, and in a segment
LINK_BYTES = 600  # of a picture's link, with its indexes


def register(
    tree: Tree,
    links: Links,
    model_change: ModelChange,
    device: Callable[[], str],
    watched: Watched,
    backlog: Backlog,
    live: Live,
    jobs: Jobs,
    transcribing: Transcribing,
    metrics: Metrics,
    unread: UnreadCounts,
    latency_s: Callable[[], float | None],
) -> None:
    """Add the command.

    device     what the model runs on
    latency_s  how long Discord takes to answer, if that is known
    """

    @tree.command(
        name=marked("status"),
        description=marked("What is indexed, how fast, and what is still to do"),
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def status(interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert interaction.guild is not None
        assert isinstance(interaction.user, discord.Member)
        now = await of(interaction.guild, interaction.user)
        await interaction.edit_original_response(content=text.status(now))

    async def unread_pictures(
        guild: int, pictures: Mapping[int, int], readable: Mapping[int, set[int]]
    ) -> tuple[int, int] | None:
        """In how many of the pictures that the member may read no words were looked for yet, and in
        how many of them that failed; None where that isn't done at all."""
        if not transcribing.on or not any(pictures.values()):
            return None
        return await transcribing.count_unread(guild, set().union(*readable.values()))

    async def of(guild: discord.Guild, member: discord.Member) -> Status:
        """The status, of the channels and threads that the member may read.

        raises   Refusal during an outage of the server
        """
        refuse_in_outage(guild)
        groups = [*await links.groups(guild.id), *map(group_of, backlog.places(guild.id))]
        readable = await readable_there(tree.client, member, groups)
        seen = set().union(*readable.values())
        pictures = {id: await links.count_links(guild.id, ids) for id, ids in readable.items()}
        filter = Filter(guild.id, frozenset(seen), has=frozenset({"video"}))
        videos = (await links.resolved(filter)).only
        model = await links.model()
        return Status(
            channels=[
                _of_channel(channel, pictures.get(channel.id, 0), channel.id in seen, backlog)
                for channel in watched.channels(guild)
                if sees(member, channel)
            ],
            videos=len(videos or ()),
            partial=(await links.count(guild.id, seen)).partial,
            progress=backlog.progress(guild.id, seen),
            jobs=await jobs.lines(member),
            unread_pictures=await unread_pictures(guild.id, pictures, readable),
            waiting=live.waiting(seen),
            per_second=metrics.pictures_per_second(seen),
            model=model.name if model else "",
            wanted=model_change.wanted,
            device=device(),
            disk_bytes=_disk_bytes(sum(pictures.values()), model.dimension if model else 0),
            latency_s=latency_s(),
            uptime_s=time.monotonic() - metrics.started,
            unread_messages=sum(
                count for id, count in unread.messages(guild.id).items() if id in seen
            ),
            unread_others=unread.others(guild.id, seen),
        )


def _disk_bytes(pictures: int, dimension: int) -> int:
    """About how many bytes these pictures take.

    It is computed, since the size of the files would tell of channels and servers that the asker
    can't read.
    """
    return pictures * (VECTOR_COPIES * 4 * dimension + LINK_BYTES)


def _of_channel(
    channel: discord.abc.GuildChannel, pictures: int, readable: bool, backlog: Backlog
) -> ChannelStatus:
    """The status of a channel; of one whose history the asker can't read, only that it is watched
    and what Magpie lacks there."""
    reading = backlog.reading(channel.id)
    return ChannelStatus(
        channel=channel,
        pictures=pictures,
        state=reading.state.value if reading and readable else "",
        fraction=reading.fraction if reading and readable else 0.0,
        missing=reading.missing if reading else (),
    )
