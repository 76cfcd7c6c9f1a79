"""`find`: the pictures (or texts) that fit words, a picture, or both."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from console import output
from console.commands import Choice, Name, Whole, flag, option
from console.exits import DONE, NOTHING_FOUND, WrongUse
from console.output import counted, harmless, say_error
from index.cli import gallery as galleries
from index.cli import paths
from index.cli.command import FolderCommand, Given

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from index.cli.answer import Outcome
    from index.cli.question import FolderUnknown
    from index.gallery import Gallery
    from index.language import Unreadable, Wish
    from index.types.records import Kind

# More windows than these help nobody.
OPENED_AT_MOST = 10
# What -k may be. The parts of an answer are numbered with 32 bits.
MOST = 1_000_000
# Options that say what a field of the query language says; they are read as a part of the line.
OF_THE_LINE = ("after", "before", "on", "since", "until", "has", "sort", "without")


@dataclass(frozen=True, kw_only=True)
class Find(Given):
    """What `find` is given, as typed; see its help."""

    words: tuple[str, ...]
    image: str | None
    folders: tuple[str, ...]
    after: str | None
    before: str | None
    on: str | None
    since: str | None
    until: str | None
    has: tuple[str, ...]
    sort: str | None
    without: tuple[str, ...]
    guesses: bool
    limit: int
    json: bool
    paths: bool
    zeros: bool
    sheet: str | None
    open: bool
    kind: Kind | None


async def run(given: Find) -> int:
    """Print the answer to a question."""
    from index.cli import answer as answers
    from index.cli import notes, question
    from index.cli.contents import named
    from index.cli.hits import look_up
    from index.types.query import Query

    line = _line(given)
    wish = _read(given, line)
    _check(given, wish)
    image = await named(given.image) if given.image else None
    async with galleries.reading(given) as gallery:
        if given.sheet:
            await galleries.spare_pictures(gallery, given.sheet, given.image)
        kind = await _kind(gallery, given)
        try:
            asked = await question.understood(gallery, line, wish, kind, given.folders)
        except question.FolderUnknown as error:
            raise WrongUse(_unknown(given, error)) from error
        embedding = await gallery.embed_query(
            Query(text=asked.words or None, image=image, minus=asked.minus)
        )
        await galleries.ready_to_judge(gallery)
        found = await look_up(
            gallery,
            embedding,
            asked.filter,
            given.limit,
            (await notes.load(gallery)).mounts,
            sort=asked.sort,
            guesses=given.guesses,
        )
    outcome = answers.Outcome(asked, given.image, found, _with_guesses(given))
    _say(given, outcome)
    if given.sheet:
        await asyncio.to_thread(answers.write_sheet, outcome, given.sheet)
    if given.open:
        await asyncio.to_thread(_open, given, answers.files_here(found))
    return DONE if found.shown else NOTHING_FOUND


def _check(given: Find, wish: Wish) -> None:
    """Refuse what can't be answered, before work is done for it. raises WrongUse"""
    if not (wish.words or given.image):
        _require_limits(given, wish)
    if given.json and given.paths:
        raise WrongUse("--json and --paths are two forms of an answer: choose one of them.")
    if given.zeros and not given.paths:
        raise WrongUse("-0 is for paths only: write --paths -0.")
    if given.sheet:
        from index.cli.sheet import check_name

        check_name(given.sheet)


def _require_limits(given: Find, wish: Wish) -> None:
    """Without words and a picture, something must be left to list. raises WrongUse"""
    from index.language import Wish as Empty

    if wish.minus:
        raise WrongUse(
            "A minus only says what not to show. Say also what to look for:"
            + galleries.hint(given, "find dog -snow")
        )
    if replace(wish, show=None) == Empty() and not given.folders:
        raise WrongUse(
            "What are you looking for? Give some words, --image FILE, or both:"
            + galleries.hint(given, "find dog in snow")
        )


async def _kind(gallery: Gallery, given: Find) -> Kind:
    """What to look for: --kind; else images, unless there are only texts. raises WrongUse"""
    counts = await galleries.require_links(gallery, given)
    return given.kind or ("image" if counts.images else "text")


# ---- the line


def _line(given: Find) -> str:
    """The words, and the options that say the same as words, as a line of the query language."""
    from index.cli.line import joined
    from index.language import combined

    options = {name: getattr(given, name) for name in OF_THE_LINE}
    return combined(joined(given.words), options)


def _read(given: Find, line: str) -> Wish:
    """What the line asks for. raises WrongUse that points at what can't be read"""
    from index.cli.question import read
    from index.language import Unreadable

    try:
        return read(line)
    except Unreadable as error:
        raise WrongUse(_unreadable(given, error)) from error


def _unreadable(given: Find, error: Unreadable) -> str:
    """What is wrong with the line, where, and the command with the line corrected."""
    from index.cli.line import separate
    from index.language import pointed

    said = [error.reason, *(f"  {line}" for line in pointed(error).split("\n"))]
    if error.corrected:
        others = [one for one in given.options if one[0].lstrip("-") not in OF_THE_LINE]
        said += ["This can be read:", f"  {_command(given, others, separate(error.corrected))}"]
    return "\n".join(said)


def _unknown(given: Find, error: FolderUnknown) -> str:
    """That the gallery has nothing of a folder, and what to do."""
    sentence = f"The gallery has nothing of a folder {harmless(error.name)}"
    if error.near:
        return f"{sentence}; did you mean {paths.short(error.near)}?"
    if os.path.isdir(error.path):
        add = galleries.hint(given, f"add {shlex.quote(paths.short(error.path))}")
        return f"{sentence} yet. This adds it:{add}"
    return f"{sentence}. This lists its folders:{galleries.hint(given, 'info')}"


def _with_guesses(given: Find) -> str:
    """The command as it was typed, that shows guesses, too."""
    return _command(given, [*given.options, ("--guesses",)], given.words)


def _command(given: Find, options: Sequence[Sequence[str]], words: Sequence[str]) -> str:
    return COMMAND.line(given.program, options, words)


# ---- the answer


def _say(given: Find, outcome: Outcome) -> None:
    from index.cli.answer import as_json, files_here, say_answer, say_beside

    if given.json:
        output.say_json(as_json(outcome))
    elif given.paths:
        say_beside(outcome)
        output.say_paths(files_here(outcome.found), zeros=given.zeros)
    else:
        say_answer(outcome)
    if outcome.found.gone:
        say_error(
            f"Left out: {counted(outcome.found.gone, 'file')} gone from the disk. "
            "The next add of that folder forgets what is gone."
        )


def _open(given: Find, files: Sequence[str]) -> None:
    from index.cli.viewer import open_files

    if not files:
        return
    open_files([given.sheet] if given.sheet else files[:OPENED_AT_MOST])
    if not given.sheet and len(files) > OPENED_AT_MOST:
        say_error(f"The best {OPENED_AT_MOST} of {len(files):,} were opened; --sheet shows all.")


# ---- completion


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from index.cli.completion import words

    return words(incomplete)


COMMAND = FolderCommand(
    "find",
    run,
    Find,
    summary="find pictures by words, by a picture, or by both",
    help="""Find what fits words, a picture, or both together. The same picture in several places
    is one hit; a file that is gone from the disk is left out. When nothing fits, that is said.

    WORDS are plain words, and these, anywhere among them:

    \b
    -snow  -"red car"      less of that; also: without snow
    in:FOLDER  -in:FOLDER  only from this folder, or not from it; from: is the same
    on:2024-05             changed in that month; also after:, before:, since:, until:
    has:gif  -has:gif      only pictures that move, or none; also image, video
    sort:new               newest first; also old, best; only what fits is sorted
    """,
    params=[
        click.Argument(["words"], nargs=-1, metavar="WORDS", shell_complete=_complete),
        option("--image", "--like", "image", metavar="FILE", type=Name(), help="like this picture"),
        option(
            "--in",
            "--from",
            "folders",
            multiple=True,
            metavar="FOLDER",
            type=Name("dir"),
            help="only from this folder (may be given several times)",
        ),
        option("--after", metavar="DATE", help="changed after this day, month or year"),
        option("--before", metavar="DATE", help="changed before it"),
        option("--on", metavar="DATE", help="changed in it"),
        option("--since", metavar="DATE", help="changed in it or later"),
        option("--until", metavar="DATE", help="changed in it or earlier"),
        option(
            "--has", multiple=True, metavar="KIND", help="only of this kind: image, gif or video"
        ),
        option("--sort", metavar="ORDER", help="best, new or old"),
        option(
            "--without",
            multiple=True,
            metavar="WORDS",
            help="less of this (may be given several times)",
        ),
        flag("--guesses", help="also what doesn't fit, the least unlike first"),
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
