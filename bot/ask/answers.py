"""Every door to a search, and the one way behind them.

A question goes straight down this page: a door → `answer` (the query's embedding) → `show`
(who may see what, then the ranking, then a page of it). Buttons come in at `show` or `answer`
again, with the clicker as the asker.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import aiohttp
import discord
from discord import app_commands, ui

from bot.access import permissions
from bot.ask import mentions as doors
from bot.ask import results
from bot.media import pictures
from bot.ops.logs import fields
from bot.sync.watched import group_of
from bot.text import replies
from bot.text.replies import Refusal
from index import Group, Query, QueryEmbedding, SavedSearch, StoreError

if TYPE_CHECKING:
    from bot.app import Magpie

    Interaction = discord.Interaction[Magpie]
else:
    Interaction = discord.Interaction

log = logging.getLogger(__name__)

NOBODY = discord.AllowedMentions.none()
JUMP = "https://discord.com/channels"  # /guild/channel/message, what clients open in place
# Discord waits three seconds for a sign of life. An answer that is there sooner is one itself, and
# saves a request.
ACKNOWLEDGE_S = 1.0
# So long an answer waits until its question is kept, for the buttons.
KEPT_WITHIN_S = 1.5
# A message may show more pictures than there is room for buttons.
MAX_CHOICES = 9


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where, and whether everyone there will see the answer."""

    member: discord.Member
    guild: discord.Guild
    channel: object
    public: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The message whose picture is asked with, and which of its pictures that is."""

    channel: int
    message: int
    chosen: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: words, a picture, one already in the gallery, or words with either."""

    words: str = ""
    picture: bytes | None = None
    like: int | None = None
    source: Source | None = None


# ── The line ─────────────────────────────────────────────────────────────────────────────


async def answer(client: Magpie, asker: Asker, question: Question) -> ui.LayoutView:
    """The first page of what fits the question, or a sentence that says why there is none."""
    client.pace.take(asker.guild.id, asker.member.id)
    embedding = await _embedded(client, question)
    params = {
        "words": question.words,
        "picture": question.picture is not None or question.like is not None,
        "like": question.like,
        "source": dataclasses.asdict(question.source) if question.source else None,
        "public": asker.public,
    }
    # What stands for a message's picture must go with it, so it isn't kept with the question.
    kept = None if question.source else embedding
    search = SavedSearch("", asker.guild.id, asker.member.id, params, kept)
    # side by side: that it is safely on disk takes a few ms, behind a reindex's page many more
    saved, looked = await asyncio.gather(
        _saved(client, search), _look(client, asker, search, embedding)
    )
    return await _answered(client, asker, saved, *looked)


async def show(client: Magpie, asker: Asker, search: SavedSearch, first: int = 0) -> ui.LayoutView:
    """A page of the ranking among what the asker may see at this moment."""
    client.pace.take(asker.guild.id, asker.member.id)
    embedding = search.embedding
    if embedding is None:
        embedding = await _embedded(client, await _asked(client, asker, search))
    looked = await _look(client, asker, search, embedding, first)
    return await _answered(client, asker, search, *looked)


async def _embedded(client: Magpie, question: Question) -> QueryEmbedding:
    query = Query(text=question.words or None, image=question.picture, like=question.like)
    return await client.gallery.embed_query(query)


async def _saved(client: Magpie, search: SavedSearch) -> SavedSearch:
    """The search under the id by which buttons find it; without one where the file can't be
    written, as on a full disk, or not soon, as while it is written anew. That is no reason not
    to answer."""
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            id = await client.gallery.save_search(
                search.space, search.owner, search.params, search.embedding
            )
    except (StoreError, TimeoutError) as error:
        reason = str(error) or "the file is busy"
        log.warning(fields("search_not_kept", guild=search.space, reason=reason))
        return search
    return dataclasses.replace(search, id=id)


async def _look(
    client: Magpie, asker: Asker, search: SavedSearch, embedding: QueryEmbedding, first: int = 0
) -> tuple[set[int], results.Page]:
    """The groups open to the asker at this moment, and a page of the ranking among them."""
    groups = await visible(client, asker)
    source = _source(search)
    # whoever asks with a picture knows its message
    known = str(source.message) if source else None
    return groups, await results.page(
        client, search.space, embedding, groups, first, but_not_source=known
    )


async def _answered(
    client: Magpie, asker: Asker, search: SavedSearch, groups: set[int], page: results.Page
) -> ui.LayoutView:
    """The page laid out, or a sentence that says why it is empty."""
    notes = _notes(client, asker, search, page)
    actions = _actions(asker, search, page) if search.id else []
    if not page.shown:
        sentences = await _empty_handed(client, asker, page, groups)
        return results.notice(sentences, notes=notes, actions=actions)
    heading = _heading(search, page)
    return results.layout(page, heading=heading, notes=notes, similar=Similar, actions=actions)


async def visible(client: Magpie, asker: Asker) -> set[int]:
    """The groups the asker may read now; for a public answer, only those everyone may."""
    if asker.guild.unavailable:
        raise Refusal(replies.OUTAGE)
    groups = await client.gallery.groups(asker.guild.id)
    allowed = await permissions.readable(client, asker.member, asker.guild, asker.channel, groups)
    if asker.public:
        allowed &= permissions.shared_with_everyone_here(asker.guild, asker.channel, groups)
    return allowed


def _heading(search: SavedSearch, page: results.Page) -> str:
    words, picture = search.params["words"], search.params["picture"]
    source = _source(search)
    url = f"{JUMP}/{search.space}/{source.channel}/{source.message}" if source else None
    title = replies.heading(words, picture, first=page.first == 0, url=url)
    last = page.first + len(page.shown)
    return f"### {title}\n-# {replies.span(page.first + 1, last, page.more)}"


def _notes(client: Magpie, asker: Asker, search: SavedSearch, page: results.Page) -> list[str]:
    notes = []
    if page.truncated is not None:
        notes.append(replies.truncated(page.truncated))
    if progress := client.backlog.progress(asker.guild.id):
        notes.append(replies.still_indexing(progress.percent))
    if asker.public:
        notes.append(replies.ONLY_SHARED)
    if not search.id:
        notes.append(replies.NO_BUTTONS)
    source = _source(search)
    if source and source.count > 1:
        notes.append(replies.several_pictures(source.chosen, source.count))
    return notes


def _actions(asker: Asker, search: SavedSearch, page: results.Page) -> list[results.Button]:
    """More; and where the question's message shows several pictures, the others of them.

    A public answer always offers the private one: that it does tells nothing.
    """
    actions: list[results.Button] = []
    if asker.public:
        actions.append(More(search.id, 0, label="More, only for me"))
    elif page.more:
        actions.append(More(search.id, page.next))
    if source := _source(search):
        others = [n for n in range(source.count) if n != source.chosen]
        actions += [Instead(search.id, n) for n in others[:MAX_CHOICES]]
    return actions


def _source(search: SavedSearch) -> Source | None:
    kept = search.params["source"]
    return Source(**kept) if kept else None


async def _empty_handed(
    client: Magpie, asker: Asker, page: results.Page, groups: set[int]
) -> list[str]:
    """Why there is nothing to show. In public, the same whatever was left out."""
    if not groups and not client.watched.marks(asker.guild.id):
        return [replies.no_channels(asker.member.guild_permissions.manage_guild)]
    if asker.public:
        return [replies.NOTHING_SHARED]
    if page.unreadable:
        return [replies.UNREACHABLE]
    if page.first:
        return [replies.NOTHING_MORE]
    if groups:
        return [replies.NOTHING_FOUND]
    watched = [group_of(channel) for channel in client.watched.channels(asker.guild)]
    return [
        replies.NOT_INDEXED_YET
        if await _reads(client, asker, *watched)
        else replies.NOTHING_READABLE
    ]


async def _reads(client: Magpie, asker: Asker, *groups: Group) -> bool:
    """Whether any of these groups is open to the asker now."""
    return bool(
        await permissions.readable(client, asker.member, asker.guild, asker.channel, groups)
    )


# ── Doors: commands ──────────────────────────────────────────────────────────────────────


@app_commands.command(name="find", description="Find pictures by what is in them")
@app_commands.describe(
    query="What to look for, in your own words",
    image="A picture to look for things like",
    show="Who sees the answer (everyone: only what everyone in this channel may see)",
)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def find(
    interaction: Interaction,
    query: str | None = None,
    image: discord.Attachment | None = None,
    show: Literal["only me", "everyone"] = "only me",
) -> None:
    words = doors.words(query or "")

    async def work(asker: Asker) -> ui.LayoutView:
        if image is None and not words:
            links = doors.is_only_links(query or "")
            raise Refusal(replies.ONLY_LINKS if links else replies.ASK_SOMETHING)
        if image is None:
            return await answer(interaction.client, asker, Question(words))
        picture = await _attached(interaction.client, image)
        return await answer(
            interaction.client, asker, Question(doors.beside_a_picture(words), picture)
        )

    asked = bool(words) or image is not None
    await respond(interaction, work, public=asked and show == "everyone")


@app_commands.context_menu(name="Find similar")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def find_similar(interaction: Interaction, message: discord.Message) -> None:
    async def work(asker: Asker) -> ui.LayoutView:
        question = await _pictured(interaction.client, message)
        return await answer(interaction.client, asker, question)

    await respond(interaction, work)


async def respond(
    interaction: Interaction,
    work: Callable[[Asker], Awaitable[ui.LayoutView]],
    *,
    public: bool = False,
) -> None:
    """Work, and answer in any case; acknowledge first when the work takes its time."""
    working = asyncio.create_task(_worked(interaction, work, public))
    try:
        await asyncio.wait({working}, timeout=ACKNOWLEDGE_S)
        if not working.done():
            await interaction.response.defer(ephemeral=not public, thinking=True)
        await _say(interaction, await working, public)
    except discord.NotFound as error:
        if error.code != replies.UNKNOWN_INTERACTION:
            raise
        # the gateway was silent for a while; the asker has been told that nobody answered
        log.warning(fields("asked_too_long_ago", guild=interaction.guild_id))
    finally:
        working.cancel()


async def _worked(
    interaction: Interaction, work: Callable[[Asker], Awaitable[ui.LayoutView]], public: bool
) -> ui.LayoutView | str:
    """What the work gives, or the sentence on why it failed."""
    try:
        return await work(_asker(interaction, public))
    except Exception as error:
        return replies.sentence(error)


async def _say(interaction: Interaction, said: ui.LayoutView | str, public: bool) -> None:
    """The answer: by itself, or in place of the acknowledgement."""
    what: Any = {"content": said} if isinstance(said, str) else {"view": said}
    if interaction.response.is_done():
        await interaction.edit_original_response(**what, allowed_mentions=NOBODY)
    else:
        await interaction.response.send_message(
            **what, ephemeral=not public, allowed_mentions=NOBODY
        )


def _asker(interaction: Interaction, public: bool) -> Asker:
    if interaction.guild is None or not isinstance(interaction.user, discord.Member):
        raise Refusal(replies.NOT_IN_A_SERVER)
    return Asker(interaction.user, interaction.guild, interaction.channel, public)


# ── Doors: messages ──────────────────────────────────────────────────────────────────────


async def on_message(client: Magpie, message: discord.Message) -> None:
    """Answer a message that asks something; stay silent otherwise.

    Everyone in the channel reads the answer, so it shows only what all of them may see, and
    its button gives the rest to whoever clicks it.
    """
    if message.guild is None or message.guild.me is None:
        return
    asked = doors.read(message, message.guild.me)
    if asked is None:
        return
    with contextlib.suppress(discord.HTTPException, aiohttp.ClientError, OSError):
        await message.channel.typing()  # no more than a sign of life
    reference = message.to_reference(fail_if_not_exists=False)
    send = functools.partial(
        message.channel.send, reference=reference, mention_author=False, allowed_mentions=NOBODY
    )
    try:
        await send(view=await _answer_message(client, message, asked))
    except discord.Forbidden as error:  # the bot may not write there, so nobody can be told
        log.warning(fields("answer_forbidden", message=message.id, reason=error))
    except Exception as error:
        await send(replies.sentence(error))


async def _answer_message(
    client: Magpie, message: discord.Message, asked: doors.Asked
) -> ui.LayoutView:
    asker = await _author(message)
    if asked.pictured is not None:
        question = await _pictured(client, asked.pictured, asked.words)
        return await answer(client, asker, question)
    if asked.empty:
        raise Refusal(replies.ONLY_LINKS if asked.link_only else replies.HELP)
    return await answer(client, asker, Question(asked.words))


async def _author(message: discord.Message) -> Asker:
    """Who wrote the message, with the roles that came with it."""
    guild, author = message.guild, message.author
    if guild is None:
        raise Refusal(replies.NOT_IN_A_SERVER)
    if not isinstance(author, discord.Member):
        try:
            author = await guild.fetch_member(author.id)
        except discord.HTTPException as error:
            raise Refusal(replies.WHO_ARE_YOU) from error
    return Asker(author, guild, message.channel, public=True)


# ── Pictures to ask with ─────────────────────────────────────────────────────────────────


async def _attached(client: Magpie, image: discord.Attachment) -> bytes:
    """The bytes of a picture that was given with a command."""
    return await client.downloader.fetch((image.url, image.proxy_url))


async def _pictured(
    client: Magpie, message: discord.Message, words: str = "", chosen: int = 0
) -> Question:
    """Ask with a picture of a message: the first, unless another was `chosen`."""
    found = pictures.from_message(message)
    if not found:
        raise Refusal(replies.NO_PICTURE_THERE)
    if chosen >= len(found):
        raise Refusal(replies.PICTURE_GONE)
    return Question(
        words,
        picture=await client.downloader.fetch(found[chosen]),
        source=Source(message.channel.id, message.id, chosen, len(found)),
    )


# ── Doors: buttons ───────────────────────────────────────────────────────────────────────
#
# All they know is in their custom_id, so they work after a restart. Whoever clicks is the
# asker: their own permissions count, at that moment, and only they see what comes.


class Click(ui.DynamicItem[ui.Button[Any]], template=r"(?!)"):
    """A button whose click is answered privately; each kind has its own template."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await respond(interaction, functools.partial(self.clicked, interaction.client))

    async def clicked(self, client: Magpie, asker: Asker) -> ui.LayoutView:
        raise NotImplementedError


class More(Click, template=r"m:(?P<search>[\w-]+):(?P<first>\d+)"):
    """The ranking of a search from a place on."""

    def __init__(self, search: str, first: int, label: str = "More") -> None:
        super().__init__(ui.Button(label=label, custom_id=f"m:{search}:{first}"))
        self.search = search
        self.first = first

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["search"], int(match["first"]))

    async def clicked(self, client: Magpie, asker: Asker) -> ui.LayoutView:
        search = await _recall(client, asker, self.search)
        return await show(client, asker, search, self.first)


class Similar(Click, template=r"s:(?P<link>\d+)"):
    """What is like a picture that was found."""

    def __init__(self, link: int) -> None:
        super().__init__(ui.Button(label="Similar", custom_id=f"s:{link}"))
        self.link = link

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["link"]))

    async def clicked(self, client: Magpie, asker: Asker) -> ui.LayoutView:
        return await answer(client, asker, await _like(client, asker, self.link))


class Instead(Click, template=r"i:(?P<search>[\w-]+):(?P<n>\d+)"):
    """The same question with another picture of the same message."""

    def __init__(self, search: str, n: int) -> None:
        super().__init__(ui.Button(label=f"Picture {n + 1}", custom_id=f"i:{search}:{n}"))
        self.search = search
        self.n = n

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["search"], int(match["n"]))

    async def clicked(self, client: Magpie, asker: Asker) -> ui.LayoutView:
        search = await _recall(client, asker, self.search)
        return await answer(client, asker, await _instead(client, asker, search, self.n))


async def _recall(client: Magpie, asker: Asker, id: str) -> SavedSearch:
    """The search behind a button, if it is theirs or was asked in public."""
    search = await client.gallery.search_by_id(id)
    if search is None or search.space != asker.guild.id:
        raise Refusal(replies.SEARCH_GONE)
    if search.owner != asker.member.id and not search.params["public"]:
        raise Refusal(replies.NOT_YOURS)
    return search


async def _like(client: Magpie, asker: Asker, link_id: int) -> Question:
    """Ask with a picture of the gallery, which the asker must be allowed to see."""
    link = await client.gallery.link(link_id)
    if link is None or link.space != asker.guild.id or not await _reads(client, asker, link.group):
        raise Refusal(replies.PICTURE_GONE)
    return Question(like=link_id, source=Source(link.group.id, int(link.source)))


async def _asked(client: Magpie, asker: Asker, search: SavedSearch) -> Question:
    """What the search asked, its picture looked up again: it is gone with its message."""
    source = _source(search)
    if (like := search.params["like"]) is not None:
        return await _like(client, asker, like)
    return await _instead(client, asker, search, source.chosen if source else 0)


async def _instead(client: Magpie, asker: Asker, search: SavedSearch, n: int) -> Question:
    """Ask with the n-th picture of the message that the search was about."""
    source = _source(search)
    if source is None:
        raise Refusal(replies.SEARCH_GONE)
    channel = asker.guild.get_channel_or_thread(source.channel)
    if channel is None:  # an archived thread
        channel = await asker.guild.fetch_channel(source.channel)
    if not await _reads(client, asker, group_of(channel)):
        raise Refusal(replies.PICTURE_GONE)
    messages = client.get_partial_messageable(channel.id, guild_id=asker.guild.id)
    message = await messages.fetch_message(source.message)
    return await _pictured(client, message, search.params["words"], n)


DYNAMIC_ITEMS: tuple[type[ui.DynamicItem[Any]], ...] = (More, Similar, Instead)


def register(client: Magpie) -> None:
    """Add the commands; the buttons are DYNAMIC_ITEMS."""
    client.tree.add_command(find)
    client.tree.add_command(find_similar)
