"""Questions of the page: a line and what stands beside it → a listing, or hits."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console.exits import WrongUse
from index.cli import answer as answers
from index.cli import question
from index.cli.hits import Search
from index.cli.paths import is_under
from index.cli.place import SPACE
from index.gallery import Gallery
from index.language import Unreadable
from index.types.errors import GalleryError
from index.types.filter import Filter, Sort
from index.types.query import Query
from serve import described, inventory
from serve.guard import Refused
from serve.inventory import Ints
from serve.opened import Opened

PAGE = 60  # hits of a page
MOST_KEPT = 64  # questions whose next pages can be asked for
MOST_LINE = 2000  # letters
MOST_STEERED = 50  # pictures of which more, or less, is wanted
MOST_UPLOADS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page asks; see docs/serve.md."""

    line: str = ""
    like: int | None = None
    picture: str | None = None
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()
    sort: Sort = Sort.BEST
    folder: str | None = None
    since: str | None = None
    until: str | None = None
    guesses: bool = False

    @classmethod
    def of(cls, body: object) -> Asked:
        """raises   Refused when it isn't what the page sends"""
        if not isinstance(body, Mapping) or body.keys() - cls.__dataclass_fields__.keys():
            raise Refused(400, "The page asked for something that this Magpie doesn't know.")
        try:
            given: dict[str, Any] = {name: one for name, one in body.items() if one is not None}
            for name in ("more", "less"):
                given[name] = tuple(map(int, given.get(name, ())))
            asked = cls(**given | {"sort": Sort(given.get("sort", "best"))})
            for text in (asked.line, asked.picture, asked.folder):
                if text is not None:
                    str.encode(text)  # half a letter is none
            if len(asked.line) > MOST_LINE:
                raise ValueError
            if (
                not isinstance(asked.like, int | None)
                or len(asked.more + asked.less) > MOST_STEERED
            ):
                raise ValueError
            for month in (asked.since, asked.until):
                if month is not None:
                    inventory.span(month)
        except (TypeError, ValueError, OverflowError) as exc:
            raise Refused(400, "The page asked for something that makes no sense.") from exc
        return asked


@dataclass(slots=True)
class Kept:
    """A question whose next pages may be asked for: a listing, or a search."""

    links: Ints | None = None
    search: Search | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Asking:
    """Answers the page's questions."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._uploads: OrderedDict[str, bytes] = OrderedDict()

    def upload(self, data: bytes) -> str:
        """Keep a picture that is asked with, in memory; returns its name."""
        name = secrets.token_urlsafe(12)
        self._uploads[name] = data
        while len(self._uploads) > MOST_UPLOADS:
            self._uploads.popitem(last=False)
        return name

    async def ask(self, asked: Asked) -> dict[str, Any]:
        """The answer without its pictures: `order` and `hits` give those."""
        async with self._opened.use() as gallery:
            try:
                return await self._answered(gallery, asked)
            except Unreadable as error:
                return _failed(asked, error.reason, (error.start, error.end), error.corrected)
            except question.FolderUnknown as error:
                near = (
                    f" Did you mean {self._opened.inventory.relative(error.near)}?"
                    if (error.near)
                    else ""
                )
                return _failed(asked, f"The gallery has nothing of a folder {error.name}.{near}")
            except (WrongUse, GalleryError) as error:
                return _failed(asked, str(error))

    async def _answered(self, gallery: Gallery, asked: Asked) -> dict[str, Any]:
        root, known = self._opened.root, self._opened.inventory
        understood = await question.understood(
            gallery, asked.line, question.read(asked.line), "image", base=root
        )
        understood = replace(understood, filter=self._limited(understood.filter, asked))
        if understood.sort is Sort.BEST:
            understood = replace(understood, sort=asked.sort)
        like, more = asked.like, asked.more
        wanted = understood.words or asked.picture
        if not wanted and like is None and more:
            like, *rest = more
            more = tuple(rest)
        for id in (*([] if like is None else [like]), *more, *asked.less):
            if known.place(id) is None:
                raise Refused(404, "A picture that was asked with is no longer in the gallery.")
        if not wanted and like is None:
            if understood.minus or asked.less:
                raise WrongUse("A minus only says what not to show. Say also what to look for.")
            return await self._listed(gallery, understood)
        image = None
        if asked.picture is not None:
            image = self._uploads.get(asked.picture)
            if image is None:
                raise Refused(404, "The picture that you ask with is gone; drop it again.")
        filter = understood.filter
        if like is not None:
            same = await gallery.links.copies([like], Filter(SPACE))
            filter = replace(filter, without=frozenset(same.get(like, {like: None})))
        embedding = await gallery.embed_query(
            Query(
                text=understood.words or None,
                image=image,
                like=like,
                minus=understood.minus,
                more=more,
                less=asked.less,
            )
        )
        search = Search(
            *(embedding, filter, self._opened.mounts),
            sort=understood.sort,
            guesses=asked.guesses,
        )
        found = await search.found(gallery, PAGE)
        name = "this picture" if image else None
        if like is not None and (place := known.place(like)) is not None:
            name = os.path.basename(known.sources[place])
        outcome = answers.Outcome(understood, name, found, "")
        sentence = f"{outcome.heading}." if found.shown and outcome.verdict else outcome.verdict
        return {
            "ask": self._keep(Kept(search=search)),
            "listing": False,
            "line": asked.line,
            "verdict": found.answer.verdict.value,
            "sentence": sentence,
            "understood": list(answers.notes(outcome)),
            "total": None if search.more(PAGE) else len(found.shown),
            "error": None,
        }

    async def _listed(self, gallery: Gallery, understood: question.Question) -> dict[str, Any]:
        order = await gallery.order(understood.filter, sort=understood.sort)
        links = await asyncio.to_thread(self._opened.inventory.folded, order)
        total = len(links)
        sentence = ""
        if not total:
            limits = understood.limits
            sentence = (
                f"Nothing in the folder fits {limits}."
                if limits
                else ("There are no pictures here yet.")
            )
        return {
            "ask": self._keep(Kept(links=links)),
            "listing": True,
            "line": understood.line,
            "verdict": "sure" if total else "nothing",
            "sentence": sentence,
            "understood": list(understood.notes),
            "total": total,
            "error": None,
        }

    def _limited(self, filter: Filter, asked: Asked) -> Filter:
        """The filter with what the page limits beside the line: the folder and the months."""
        folder = self._opened.root
        if asked.folder:
            folder = os.path.normpath(os.path.join(folder, asked.folder))
            if not is_under(folder, self._opened.root):
                raise Refused(400, "The page asked for a folder that isn't here.")
        under = _narrowed(filter.under, folder)
        if not under:
            raise WrongUse("These folders have nothing in common.")
        if under == (self._opened.root,) and self._opened.inventory.whole:
            under = ()
        since = [filter.since] if filter.since is not None else []
        until = [filter.until] if filter.until is not None else []
        since += [inventory.span(asked.since)[0]] if asked.since else []
        until += [inventory.span(asked.until)[1]] if asked.until else []
        return replace(
            filter,
            under=under,
            since=max(since, default=None),
            until=min(until, default=None),
        )

    def _keep(self, kept: Kept) -> str:
        name = secrets.token_urlsafe(9)
        self._kept[name] = kept
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return name

    def _known(self, name: str) -> Kept:
        if name not in self._kept:
            raise Refused(404, "This question is no longer known; ask it again.")
        self._kept.move_to_end(name)
        return self._kept[name]

    async def order(self, name: str) -> dict[str, Any]:
        """All pictures of a listing, in order. raises Refused"""
        links = self._known(name).links
        if links is None:
            raise Refused(404, "This question has hits, and no order of all.")
        return await asyncio.to_thread(self._opened.inventory.listing, links)

    async def hits(self, name: str, first: int) -> dict[str, Any]:
        """A page of pictures, from number `first` on, which counts from 0. raises Refused"""
        kept, inventory = self._known(name), self._opened.inventory
        async with kept.turn, self._opened.use() as gallery:
            if kept.links is not None:
                links = kept.links[first : first + PAGE].tolist()
                told = await described.pictures(gallery, inventory, links)
                return {"hits": told, "more": len(kept.links) > first + PAGE}
            assert kept.search is not None
            found = await kept.search.found(gallery, first + PAGE)
            told = await described.hits(gallery, inventory, found.shown[first:])
            return {"hits": told, "more": kept.search.more(first + PAGE)}


def _narrowed(under: Sequence[str], folder: str) -> tuple[str, ...]:
    """What these folders and another one have in common; () under: all folders."""
    if not under:
        return (folder,)
    inside = [path for path in under if is_under(path, folder)]
    around = [folder] if any(is_under(folder, path) for path in under) else []
    return tuple(dict.fromkeys([*inside, *around]))


def _failed(
    asked: Asked, sentence: str, position: tuple[int, int] | None = None, corrected: str = ""
) -> dict[str, Any]:
    error = {
        "sentence": sentence,
        "position": list(position) if position else None,
        "corrected": corrected or None,
    }
    return {
        "ask": None,
        "listing": False,
        "line": asked.line,
        "verdict": "nothing",
        "sentence": sentence,
        "understood": [],
        "total": 0,
        "error": error,
    }
