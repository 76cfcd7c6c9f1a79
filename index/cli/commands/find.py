"""`find`: the pictures (or texts) that fit words, a picture, or both."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console import output
from console.commands import Choice, Name, Whole, flag, option
from console.exits import DONE, NOTHING_FOUND, WrongUse
from console.output import counted, harmless, say, say_error
from index.cli import gallery as galleries
from index.cli import paths
from index.cli.command import FolderCommand, Given
from index.cli.place import SPACE

if TYPE_CHECKING:
    from index.cli.hits import Found, Shown
    from index.gallery import Gallery
    from index.types.records import Kind, Link

# Other places of a picture that are named with it.
COPIES_SHOWN = 3
# More windows than these help nobody.
OPENED_AT_MOST = 10
# What -k may be. The parts of an answer are numbered with 32 bits.
MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Find(Given):
    """What `find` is given, as typed; see its help."""

    words: tuple[str, ...]
    image: str | None
    limit: int
    json: bool
    paths: bool
    zeros: bool
    sheet: str | None
    open: bool
    kind: Kind | None


async def run(given: Find) -> int:
    """Print the answer to a question, best first."""
    from index.cli import notes
    from index.cli.hits import look_up
    from index.types.filter import Filter
    from index.types.query import Query

    words = " ".join(given.words)
    if not words.strip() and not given.image:
        raise WrongUse(
            "What are you looking for? Give some words, --image FILE, or both:"
            + galleries.hint(given, "find dog in snow")
        )
    if given.json and given.paths:
        raise WrongUse("--json and --paths are two forms of an answer: choose one of them.")
    if given.zeros and not given.paths:
        raise WrongUse("-0 is for paths only: write --paths -0.")
    if given.sheet:
        from index.cli.sheet import check_name

        check_name(given.sheet)
    image = paths.named(given.image) if given.image else None
    async with galleries.reading(given) as gallery:
        if given.sheet:
            await _spare_pictures(gallery, given.sheet, given.image)
        filter = Filter(SPACE, kind=await _kind(gallery, given))
        embedding = await gallery.embed_query(Query(text=words, image=image))
        remembered = await notes.load(gallery)
        found = await look_up(gallery, embedding, filter, given.limit, remembered.mounts)
    _say(given, words, found)
    if given.sheet:
        await asyncio.to_thread(_write_sheet, given.sheet, given.image, words, found)
    if given.open:
        await asyncio.to_thread(_open, given, found)
    return DONE if found.shown else NOTHING_FOUND


async def _spare_pictures(gallery: Gallery, sheet: str, image: str | None) -> None:
    """Refuse a sheet in the place of the picture that is asked with, or of one of the gallery.

    raises   WrongUse
    """
    places = _places(sheet)
    if image and places & _places(image):
        raise WrongUse(f"{harmless(sheet)} is the picture that you ask with. Name another.")
    for place in places:
        if await gallery.links.ids_of_source(SPACE, place):
            raise WrongUse(f"{harmless(sheet)} is a picture of the gallery. Name another.")


def _places(name: str) -> set[str]:
    """Where a name leads: as written, and behind links."""
    return {os.path.abspath(name), os.path.realpath(name)}


async def _kind(gallery: Gallery, given: Find) -> Kind:
    """What to look for: --kind; else images, unless there are only texts."""
    counts = await gallery.links.count()
    if not counts.links:
        raise WrongUse(
            f"The gallery {harmless(str(galleries.database(given)))} is empty. "
            f"Add some pictures:{galleries.hint(given, 'add ~/Pictures')}"
        )
    if given.kind:
        kind: Kind = given.kind
        return kind
    return "image" if counts.images else "text"


# ---- printing


def _say(given: Find, words: str, found: Found) -> None:
    if given.json:
        output.say_json(_answer_json(words, given.image, found))
    elif given.paths:
        output.say_paths(_paths_here(found), zeros=given.zeros)
    else:
        _say_answer(found)
    if found.gone:
        say_error(
            f"Left out: {counted(found.gone, 'file')} gone from the disk. "
            "The next add of that folder forgets what is gone."
        )


def _paths_here(found: Found) -> list[str]:
    """The files that can be read now; a text file once, however many of its lines were found."""
    return list(dict.fromkeys(one.link.source for one in found.shown if one.is_here))


def _say_answer(found: Found) -> None:
    if found.answer.truncated is not None:
        say(f"The question was too long for the model; it read: {found.answer.truncated}")
    if not found.shown:
        say("Nothing of that kind is in the gallery.")
        return
    if not found.answer.confident:
        say("Nothing here stands out; these are the least unlike:")
    width = len(str(found.shown[-1].rank))
    for one in found.shown:
        say(f"{one.rank:>{width}}  {one.hit.score:.3f}  {_described(one)}")


def _described(one: Shown) -> str:
    place = _place(one.link)
    if one.hit.kind == "text":
        place += f": {one.hit.text}"
    elif one.hit.frame:
        place += f" (frame {one.hit.frame + 1})"
    if not one.is_here:
        place += " (can't be read now; is its drive connected?)"
    if one.copies:
        named = ", ".join(_place(link) for link in one.copies[:COPIES_SHOWN])
        more = len(one.copies) - COPIES_SHOWN
        place += f" (also {named}{f' and {more:,} more' if more > 0 else ''})"
    return place


def _place(link: Link) -> str:
    return paths.short(link.source) + (f":{link.slot}" if link.slot else "")


def _answer_json(words: str, image: str | None, found: Found) -> dict[str, Any]:
    return {
        "query": words,
        "image": image,
        "confident": found.answer.confident,
        "took_ms": round(found.answer.took_ms, 2),
        "searched": found.answer.searched,
        "truncated": found.answer.truncated,
        "gone": found.gone,
        "hits": [_hit_json(one) for one in found.shown],
    }


def _hit_json(one: Shown) -> dict[str, Any]:
    is_text = one.hit.kind == "text"
    line = {"line": int(one.link.slot), "text": one.hit.text} if is_text else {}
    copies = [
        {"path": link.source, "line": int(link.slot)} if is_text else link.source
        for link in one.copies
    ]
    return {
        "rank": one.rank,
        "score": round(one.hit.score, 5),
        "path": one.link.source,
        "kind": one.hit.kind,
        "frame": one.hit.frame,
        **line,
        "readable": one.is_here,
        "copies": copies,
    }


# ---- looking


def _write_sheet(sheet: str, image: str | None, words: str, found: Found) -> None:
    from index.cli.sheet import MOST_CARDS, Card, contact_sheet, write

    question = " and ".join(
        part for part in (words, f"like {Path(image).name}" if image else "") if part
    )
    cards = [
        Card(Path(one.link.source), one.hit.score, one.link.name, one.hit.frame)
        for one in found.shown
        if one.hit.kind == "image"
    ][:MOST_CARDS]
    if not cards:
        say_error(f"There is no picture to show on {sheet}.")
        return
    outcome = "" if found.answer.confident else " · nothing stands out"
    subtitle = (
        f"the best {len(cards)} of {counted(found.answer.searched, 'picture')}{outcome}"
        if len(cards) > 1
        else f"the best of {counted(found.answer.searched, 'picture')}{outcome}"
    )
    write(contact_sheet(question, subtitle, cards), sheet)
    say_error(f"{sheet} shows {'them' if len(cards) > 1 else 'it'}.")


def _open(given: Find, found: Found) -> None:
    from index.cli.viewer import open_files

    files = _paths_here(found)
    if not files:
        return
    open_files([given.sheet] if given.sheet else files[:OPENED_AT_MOST])
    if not given.sheet and len(files) > OPENED_AT_MOST:
        say_error(f"The best {OPENED_AT_MOST} of {len(files):,} were opened; --sheet shows all.")


COMMAND = FolderCommand(
    "find",
    run,
    Find,
    summary="find pictures by words, by a picture, or by both",
    help="Find what fits words, a picture, or both together. The same picture in several places "
    "is one hit; a file that is gone from the disk is left out.",
    params=[
        click.Argument(["words"], nargs=-1, metavar="WORDS"),
        option("--image", metavar="FILE", type=Name(), help="something like this picture"),
        option(
            "-k",
            "--limit",
            metavar="N",
            type=Whole(1, MOST),
            default=10,
            help="how many (10)",
        ),
        flag("--json", help="for programs"),
        flag("--paths", help="only the paths, a line each"),
        flag(
            "-0",
            "zeros",
            help="with --paths: a zero byte behind each instead of a new line, for xargs -0",
        ),
        option(
            "--sheet",
            metavar="OUT",
            type=Name(),
            help="write a contact sheet to look at: a .png, .jpg or .webp file",
        ),
        flag("--open", help="open the hits in the system's viewer; with --sheet, only the sheet"),
        option(
            "--kind",
            metavar="KIND",
            type=Choice("image", "text"),
            help="what to look for: image or text (default: images, or texts where there is "
            "nothing else)",
        ),
    ],
    minus=True,
)
