"""What `find` is asked: a line of the query language → a query, a filter and an order."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.exits import WrongUse
from console.output import counted
from index.cli.paths import at_home, short
from index.cli.place import GROUP, SPACE
from index.gallery import Gallery
from index.language import Reader, Wish, parse, printed
from index.types.filter import Filter, Sort
from index.types.records import Kind

# What `has:` can say of a file. The rest is of pictures in a chat.
OF_FILES = ("image", "gif", "video")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, beside a picture.

    line      as it was typed
    words     what shall be seen
    minus     what shall not be seen
    filter    where and when
    sort      the order
    notes     how the line was understood, a sentence each
    base      the folder from which paths are named
    """

    line: str
    words: str
    minus: tuple[str, ...]
    filter: Filter
    sort: Sort
    notes: tuple[str, ...]
    base: str = os.curdir

    @property
    def limits(self) -> str:
        """The filter as it is typed; "" where there is none."""
        filter = self.filter
        return printed(
            Wish(
                exact=filter.says,
                places=tuple(short(path, self.base) for path in filter.under),
                not_places=tuple(short(path, self.base) for path in filter.not_under),
                since=filter.since,
                until=filter.until,
                has=filter.has,
                not_has=filter.has_not,
            ),
            here(),
        )

    @property
    def only_says(self) -> bool:
        """Whether exact words are all that is asked for."""
        says = self.filter.says
        return bool(says) and self.limits == printed(Wish(exact=says), here())


class FolderUnknown(Exception):
    """The gallery has nothing of a folder.

    name   as typed
    path   where it would be
    near   a folder of the gallery that is called nearly so
    """

    def __init__(self, name: str, path: str, near: str | None) -> None:
        super().__init__(name)
        self.name, self.path, self.near = name, path, near


def here() -> Reader:
    """The person at this computer, who reads dates in its time zone and its language."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_TIME", "LANG"))
    locale = next((name for name in names if name), "")
    plain = locale.split(".")[0] in ("", "C", "POSIX")
    return Reader(datetime.now().astimezone(), "en" if plain else locale)


def read(line: str) -> Wish:
    """What a line asks for. raises Unreadable, WrongUse"""
    wish = parse(line, here())
    if foreign := sorted((wish.has | wish.not_has).difference(OF_FILES)):
        raise WrongUse(
            f"has:{foreign[0]} is of pictures in a chat. "
            f"Files of a folder have {', '.join(OF_FILES[:-1])} or {OF_FILES[-1]}."
        )
    return wish


async def understood(
    gallery: Gallery,
    line: str,
    wish: Wish,
    kind: Kind,
    folders: Sequence[str] = (),
    base: str = os.curdir,
) -> Question:
    """The question that a line asks of a gallery.

    wish      what the line asks for
    kind      what is looked for
    folders   names of folders that were given beside it
    base      the folder from which paths are named

    raises   FolderUnknown
    """
    known = _Known(gallery, base)
    wanted, unwanted = (
        (*wish.authors, *wish.places, *folders),
        (*wish.not_authors, *wish.not_places),
    )
    filter = Filter(
        SPACE,
        kind=kind,
        since=wish.since,
        until=wish.until,
        has=wish.has,
        has_not=wish.not_has,
        says=wish.exact,
        under=tuple([path for name in wanted for path in await known.meant(name)]),
        not_under=tuple([path for name in unwanted for path in await known.meant(name)]),
    )
    unread = await gallery.transcripts.count_unread(Filter(SPACE)) if wish.exact else 0
    notes = tuple(_notes(wish, unread))
    return Question(line, wish.words, wish.minus, filter, wish.sort or Sort.BEST, notes, base)


def _notes(wish: Wish, unread: int) -> Iterator[str]:
    """How a line was understood; `unread` pictures were not looked at for words yet."""
    for one in wish.understood:
        yield f"“{one.read}” is read as less of “{one.minus}”."
    if unread:
        yield f"The words in {counted(unread, 'picture')} were not read yet."
    if wish.show:
        yield "show: is for chats; here only you see the answer."


class _Known:
    """The folders that a gallery has something of."""

    def __init__(self, gallery: Gallery, base: str) -> None:
        self._gallery, self._base = gallery, base

    async def meant(self, name: str) -> list[str]:
        """The folders that a name stands for: the one at this path; else those that are called so.

        raises   FolderUnknown
        """
        path = at_home(name, self._base)
        if await self._has(path):
            return [path]
        known = await self._folders()
        bare = name.strip(os.sep).casefold()
        if called := [folder for folder in known if Path(folder).name.casefold() == bare]:
            return called
        by_name = {Path(folder).name: folder for folder in known}
        near = difflib.get_close_matches(Path(path).name, by_name, n=1)
        raise FolderUnknown(name, path, by_name[near[0]] if near else None)

    async def _has(self, path: str) -> bool:
        return bool((await self._gallery.links.resolved(Filter(SPACE, under=(path,)))).only)

    async def _folders(self) -> list[str]:
        """All of them, with those above them."""
        folders: set[str] = set()
        for source in await self._gallery.links.known(SPACE, GROUP.id):
            folder = os.path.dirname(source)
            while folder not in folders:
                folders.add(folder)
                folder = os.path.dirname(folder)
        return sorted(folders)
