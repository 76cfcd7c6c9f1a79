"""Questions: words, and the pictures that people ask with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from bot.access import permissions
from bot.access.sight import Sight
from bot.ask import lines
from bot.ask.asker import Asker
from bot.ask.names import Names
from bot.media import pictures
from bot.media.pictures import Picture
from bot.platform.places import Place, group_of
from bot.platform.refusal import Refusal
from bot.sync.writer import Writer
from bot.text import answers as text
from bot.text import lines as line_text
from index import (
    Asked,
    BookkeepingReader,
    Filter,
    Group,
    Link,
    Links,
    SavedSearch,
    ShownBy,
    Sort,
    Wish,
)

# What a question and a saved search have in common: what the asker wished, beside a picture.
WISHED = ("words", "filter", "minus", "places", "not_places", "sort", "line", "understood")


@dataclass(frozen=True, slots=True)
class Question:
    """A question: words, a picture, or both; or what to list, by a filter alone.

    picture    a picture of a message, or the addresses of one; it isn't downloaded yet
    like       the id of a link in the gallery, whose picture is asked with
    link       that link as it was read, and `Writer.now` before that in `as_of`
    shown_by   the message whose picture is asked with, and which of its pictures that is
    posted_in  where that message is, if that has to be open to the asker
    filter     what the asker limits it to; what they may see is added for each page
    minus      what should not be seen
    places     ids of the channels, threads and categories to look in; (): all
    not_places the same, to leave out
    sort       the order of the answer
    line       the question as a line of the query language
    understood words that were read as a minus, and that minus; it is said with each page
    """

    words: str = ""
    picture: Picture | Sequence[str] | None = None
    like: int | None = None
    link: Link | None = None
    as_of: int = 0
    shown_by: ShownBy | None = None
    posted_in: Group | None = None
    filter: Filter | None = None
    minus: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    not_places: tuple[int, ...] = ()
    sort: Sort = Sort.BEST
    line: str = ""
    understood: tuple[tuple[str, str], ...] = ()

    @property
    def with_picture(self) -> bool:
        return self.picture is not None or self.like is not None

    def asked(self, *, public: bool) -> Asked:
        """The part that is saved, so that buttons can ask the question again."""
        return Asked(
            like=self.like,
            shown_by=self.shown_by,
            with_picture=self.with_picture,
            public=public,
            **{name: getattr(self, name) for name in WISHED},
        )


class Questions:
    """Makes questions from pictures that members choose, if they may see them."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        names: Names,
    ) -> None:
        self._client = client
        self._links = links
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._names = names

    async def wished(self, asker: Asker, sight: Sight, question: Question, wish: Wish) -> Question:
        """The question with what the asker wishes beside its picture.

        sight    what the readers of the answer may see: names mean nothing else
        raises   Refusal if nothing is asked, or a name isn't known to those readers
        """
        meant = await self._names.meant(asker, sight, wish)
        filter = Filter(
            asker.guild.id,
            owners=meant.owners,
            but_owners=meant.but_owners,
            since=wish.since,
            until=wish.until,
            has=wish.has,
            has_not=wish.not_has,
            says=wish.exact,
        )
        looks = bool(wish.words) or question.with_picture  # else it lists what the filter leaves
        listed = filter.limits or meant.places or meant.not_places or wish.sort is not None
        if wish.minus and not looks:  # what a filter leaves has no order that a minus could change
            raise Refusal(line_text.only_minus)
        if not looks and not listed:
            raise Refusal(text.ask_something)
        return replace(
            question,
            words=wish.words,
            filter=filter if filter.limits else None,
            minus=wish.minus,
            places=meant.places,
            not_places=meant.not_places,
            sort=wish.sort or (Sort.BEST if looks else Sort.NEWEST),
            line=await lines.written(wish),
            understood=tuple((one.read, one.minus) for one in wish.understood),
        )

    def with_message(self, message: discord.Message, chosen: int = 0) -> Question:
        """The question with a picture of a message.

        chosen   which of its pictures, counted from 0

        raises   Refusal
        """
        found = pictures.from_message(message)
        if not found:
            raise Refusal(text.no_picture_there)
        if chosen >= len(found):
            raise Refusal(text.picture_unavailable)
        return Question(
            picture=found[chosen],
            shown_by=ShownBy(message.channel.id, str(message.id), chosen, len(found)),
        )

    async def like(self, asker: Asker, link_id: int) -> Question:
        """The question with a picture of the gallery.

        raises   Refusal if the asker may not see it
        """
        as_of = self._writer.now
        link = await self._links.link(asker.guild.id, link_id)
        if link is None:
            raise Refusal(text.picture_unavailable)
        if not await self.may_read(asker, [link.group]):
            raise Refusal(text.picture_unavailable)
        shown_by = ShownBy(link.group.id, link.source)
        return Question(
            like=link_id, link=link, as_of=as_of, shown_by=shown_by, posted_in=link.group
        )

    async def again(self, asker: Asker, search: SavedSearch) -> Question:
        """The question of a saved search. Its picture is read again, since it may be deleted.

        raises   Refusal
        """
        if search.asked.like is not None:
            return _as_wished(await self.like(asker, search.asked.like), search)
        shown_by = search.asked.shown_by
        return await self.instead(asker, search, shown_by.chosen if shown_by else 0)

    async def instead(self, asker: Asker, search: SavedSearch, chosen: int) -> Question:
        """The question of a saved search, with another picture of the same message.

        raises   Refusal
        """
        shown_by = search.asked.shown_by
        if shown_by is None:
            raise Refusal(text.search_expired)
        message, group = await self.message(asker, shown_by.group, shown_by.source)
        question = replace(self.with_message(message, chosen), posted_in=group)
        return _as_wished(question, search)

    async def message(
        self, asker: Asker, channel_id: int, id: int | str
    ) -> tuple[discord.Message, Group]:
        """A message as it is now, and where it is.

        raises   Refusal if the asker may not see it
        """
        channel: object = asker.guild.get_channel_or_thread(channel_id)
        if channel is None:  # an archived thread
            channel = await self._client.fetch_channel(channel_id)
        if not isinstance(channel, Place):
            raise Refusal(text.picture_unavailable)
        group = group_of(channel)
        if not await self.may_read(asker, [group]):
            raise Refusal(text.picture_unavailable)
        messages = self._client.get_partial_messageable(channel.id, guild_id=asker.guild.id)
        return await messages.fetch_message(int(id)), group

    async def saved(self, asker: Asker, id: str) -> SavedSearch:
        """The search behind a button, if it is the asker's or was asked in public.

        raises   Refusal
        """
        search = await self._bookkeeping.search_by_id(id)
        if search is None or search.space != asker.guild.id:
            raise Refusal(text.search_expired)
        if search.owner != asker.member.id and not search.asked.public:
            raise Refusal(text.not_yours)
        return search

    async def may_read(self, asker: Asker, groups: Sequence[Group]) -> bool:
        """Whether any of these groups is open to the asker now."""
        return bool(
            await permissions.readable(
                self._client, asker.member, asker.guild, asker.channel, groups
            )
        )


def _as_wished(question: Question, search: SavedSearch) -> Question:
    """The question with what a saved search wished beside its picture."""
    return replace(question, **{name: getattr(search.asked, name) for name in WISHED})
