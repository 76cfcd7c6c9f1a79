"""The command line: a folder of photographs becomes searchable by what is in them.

Exit codes: 0 done; 1 nothing was found; 2 wrong use, or a refusal that says why;
130 interrupted (what was finished is kept, the same command goes on from there).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.types.errors import GalleryError, format_bytes

if TYPE_CHECKING:
    from index.cli.folder import Adding, Tally
    from index.gallery import Gallery
    from index.types.records import Answer, Hit, Kind

DEFAULT_MODEL = "openai/clip-vit-base-patch32"
# Broken pictures named in a summary; more would hide it.
BROKEN_SHOWN = 20

DONE, NOTHING_FOUND, REFUSED, INTERRUPTED = 0, 1, 2, 130


class WrongUse(Exception):
    """What the command line asks for can't be done; the message says what to do instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = asyncio.run(given.run(given))
        return code
    except (GalleryError, WrongUse) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


# ---- the commands


async def add(given: argparse.Namespace) -> int:
    """Bring the gallery in line with folders and text files."""
    from rich.console import Console

    from index.cli import progress
    from index.cli.folder import Adding

    paths, texts = _existing(given.paths), _existing(given.text)
    if not paths and not texts:
        raise WrongUse("Nothing to add: name a folder or some pictures, or a --text FILE.")
    if wrong := [path for path in texts if path.is_dir()]:
        raise WrongUse(f"{wrong[0]} is a folder; --text takes a file with one entry a line.")
    console = Console(soft_wrap=True)
    async with _opened(given, console=console, writing=True) as gallery:
        started = time.monotonic()
        with progress.shown(console) as show:
            adding = Adding(gallery, show)
            with _stopping(adding):
                tally = await adding.run(paths, texts)
        took = progress.duration(time.monotonic() - started)
        counts = await gallery.links.count()
    _print_summary(tally, took, counts.images, counts.texts, given)
    return INTERRUPTED if tally.stopped else DONE


async def find(given: argparse.Namespace) -> int:
    """The pictures (or texts) that answer words, a picture, or both."""
    from index.types.filter import Filter
    from index.types.query import Query

    words = " ".join(given.words)
    if not words.strip() and not given.image:
        raise WrongUse(
            "What shall be found? Give some words, --image FILE, or both:\n"
            "  python -m index find dog in snow"
        )
    image = _bytes_of(given.image) if given.image else None
    async with _opened(given) as gallery:
        kind = await _kind(gallery, given)
        answer = await gallery.find(Query(text=words, image=image), Filter(0, kind=kind), k=given.k)
    if given.json:
        print(json.dumps(_answer_json(words, given.image, answer), ensure_ascii=False, indent=2))
    else:
        _print_answer(answer)
    if given.sheet:
        _write_sheet(given, words, answer)
    return DONE if answer.hits else NOTHING_FOUND


async def info(given: argparse.Namespace) -> int:
    """What is in the gallery."""
    async with _opened(given) as gallery:
        counts, model = await gallery.links.count(), await gallery.links.model()
        places = _folders(await gallery.links.known(0, 0))
        shown = {
            "file": str(_database(given)),
            "bytes": await gallery.links.disk_bytes(),
            "model": model.name if model else None,
            "revision": model.revision if model else None,
            "dimension": model.dimension if model else None,
            "images": counts.images,
            "texts": counts.texts,
            "links": counts.links,
            "folders": places,
        }
    if given.json:
        print(json.dumps(shown, ensure_ascii=False, indent=2))
        return DONE
    images = f"{counts.images:,}"
    if counts.links > counts.images + counts.texts:
        images += f" different ones in {counts.links - counts.texts:,} places"
    print(f"file      {shown['file']} ({format_bytes(await _size(given))})")
    print(f"model     {shown['model'] or 'none yet'}, {shown['dimension'] or 0} numbers a vector")
    print(f"pictures  {images}")
    print(f"texts     {counts.texts:,}")
    for i, (folder, count) in enumerate(list(places.items())[:10]):
        print(f"{'folders' if i == 0 else '':<9} {count:>6,}  {_shown(folder)}")
    if len(places) > 10:
        print(f"{'':<9} {'':>6}  and {len(places) - 10:,} more folders")
    return DONE


async def backup(given: argparse.Namespace) -> int:
    """Copy the gallery, also while a bot writes it."""
    from index.store.sqlite.backup import back_up

    path, copy = _database(given), Path(given.copy)
    size = await asyncio.to_thread(back_up, path, copy)
    print(f"{copy} is a copy of {path} ({format_bytes(size)})")
    return DONE


async def restore(given: argparse.Namespace) -> int:
    """Put a copy in the gallery's place."""
    from index.store.sqlite.backup import restore as put_back

    path, copy = _database(given), Path(given.copy)
    there = await asyncio.to_thread(path.exists)
    await asyncio.to_thread(put_back, copy, path)
    print(f"{path} is as in {copy}" + (f"; what it was is in {path}.before" if there else ""))
    return DONE


async def look(given: argparse.Namespace) -> int:
    """Why was this picture not found?"""
    from index.cli.look import look_at

    data = _bytes_of(given.picture)
    if not _database(given).exists():
        if given.words:
            raise WrongUse(_no_gallery(given))
        return await look_at(given.picture, data, None, given.model or DEFAULT_MODEL, given.out)
    async with _opened(given) as gallery:
        model = gallery.model or given.model or DEFAULT_MODEL
        return await look_at(given.picture, data, gallery, model, given.out, given.words)


# ---- what the commands share


@contextlib.asynccontextmanager
async def _opened(given: argparse.Namespace, *, console: Any = None, writing: bool = False) -> Any:
    """The gallery; for writing with its model loaded, else loaded when it is needed."""
    from index.gallery import Gallery

    path = _database(given)
    if not writing and not path.exists():
        raise WrongUse(_no_gallery(given))
    model = given.model
    if writing:
        model = model or await _remembered_model(path) or DEFAULT_MODEL
        # No spinner: a first download draws bars of its own.
        console.print(f"loading the model {model}", markup=False, highlight=False, style="dim")
    with _leaving_at_once():
        gallery = await Gallery.open(
            path,
            model,
            device=given.device,
            precision="auto" if writing else "exact",  # checking it pays for many pictures only
            read_only=not writing,
        )
    try:
        yield gallery
    finally:
        await gallery.close()


async def _remembered_model(path: Path) -> str | None:
    """The name of the model that a gallery which is there was made with."""
    from index.store.sqlite import SQLiteStore
    from index.types.errors import StoreUnreachable

    try:
        store = await SQLiteStore.open(path, read_only=True)
    except StoreUnreachable:
        return None  # not there, or nothing in it; opening it for writing says what is wrong
    try:
        model = await store.model_record.get()
        return model.name if model else None
    finally:
        await store.close()


def _database(given: argparse.Namespace) -> Path:
    """--db; else magpie.db here, if there is one; else a file in the user's data folder."""
    if given.db:
        return Path(given.db)
    here = Path("magpie.db")
    if here.is_file():
        return here
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "magpie" / "photos.db"


def _no_gallery(given: argparse.Namespace) -> str:
    return (
        f"There is no gallery at {_database(given)} yet. Make one from your pictures:\n"
        "  python -m index add ~/Pictures"
    )


def _existing(paths: Sequence[str]) -> list[Path]:
    found = [Path(path) for path in paths]
    if missing := [path for path in found if not path.exists()]:
        raise WrongUse(f"{missing[0]} isn't there; nothing was added.")
    return found


def _bytes_of(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise WrongUse(f"{path} can't be read: {exc.strerror}.") from exc


async def _kind(gallery: Gallery, given: argparse.Namespace) -> Kind:
    """What to look for: as asked; else images, unless there are only texts."""
    counts = await gallery.links.count()
    if not counts.links:
        raise WrongUse(
            f"The gallery {_database(given)} is empty. Add some pictures:\n"
            "  python -m index add ~/Pictures"
        )
    if given.kind:
        kind: Kind = given.kind
        return kind
    return "image" if counts.images else "text"


@contextlib.contextmanager
def _leaving_at_once() -> Iterator[None]:
    """Ctrl-C ends the process at once. Nothing is being written yet, and an orderly exit would wait
    until the threads of a download have finished."""

    def leave(*_: object) -> None:
        print("\nInterrupted.", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _stopping(adding: Adding) -> Iterator[None]:
    """Ctrl-C and SIGTERM finish the current batch; a second one ends at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        print("\nstopping: finishing what is in hand", file=sys.stderr)
        adding.stop()
        if task is not None:
            for number in numbers:
                loop.add_signal_handler(number, task.cancel)

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows: Ctrl-C ends at once; commits are complete all the same
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


# ---- what is printed


def _print_summary(
    tally: Tally, took: str, images: int, texts: int, given: argparse.Namespace
) -> None:
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (tally.added, "added"),
            (tally.changed, "changed"),
            (tally.unchanged, "unchanged"),
            (tally.vanished, "vanished"),
            (len(tally.broken), "couldn't be read"),
        )
        if count
    ]
    for path, reason in sorted(tally.broken)[:BROKEN_SHOWN]:
        print(f"  {_shown(path)}: {reason}")
    if len(tally.broken) > BROKEN_SHOWN:
        print(f"  and {len(tally.broken) - BROKEN_SHOWN:,} more")
    for folder, count in tally.missing_folders:
        print(
            f"{_shown(str(folder))} is empty now, and {count:,} pictures were in it. "
            "They are kept, in case a drive isn't connected."
        )
    if not tally.total:
        print("No pictures were found there.")
    print(f"{', '.join(parts) or 'nothing to do'}; {took}.")
    holds = f"{images:,} pictures" + (f" and {texts:,} texts" if texts else "")
    print(f"{_shown(str(_database(given).resolve()))} holds {holds}.")
    if tally.stopped:
        left = tally.total - tally.done
        print(
            f"Stopped with {tally.done:,} of {tally.total:,} done; "
            f"run the same command again for the other {left:,}."
        )


def _print_answer(answer: Answer) -> None:
    if answer.truncated is not None:
        print(f"The question was too long for the model; it read: {answer.truncated}")
    if not answer.hits:
        print("Nothing of that kind is in the gallery.")
        return
    if not answer.confident:
        print("Nothing here stands out; these are the least unlike:")
    width = len(str(answer.hits[-1].rank))
    for hit in answer.hits:
        print(f"{hit.rank:>{width}}  {hit.score:.3f}  {_described(hit)}")


def _described(hit: Hit) -> str:
    place = _shown(hit.link.source)
    if hit.kind == "text":
        return f"{place}:{hit.link.slot}: {hit.text}"
    return place + (f" (frame {hit.frame + 1})" if hit.frame else "")


def _answer_json(words: str, image: str | None, answer: Answer) -> dict[str, Any]:
    return {
        "query": words,
        "image": image,
        "confident": answer.confident,
        "took_ms": round(answer.took_ms, 2),
        "searched": answer.searched,
        "truncated": answer.truncated,
        "hits": [_hit_json(hit) for hit in answer.hits],
    }


def _hit_json(hit: Hit) -> dict[str, Any]:
    line = {"line": int(hit.link.slot), "text": hit.text} if hit.kind == "text" else {}
    return {
        "rank": hit.rank,
        "score": round(hit.score, 5),
        "path": hit.link.source,
        "kind": hit.kind,
        "frame": hit.frame,
        **line,
    }


def _write_sheet(given: argparse.Namespace, words: str, answer: Answer) -> None:
    from index.cli.sheet import Card, contact_sheet, write_png

    asked = " and ".join(
        part for part in (words, f"like {Path(given.image).name}" if given.image else "") if part
    )
    cards = [
        Card(Path(hit.link.source), hit.score, hit.link.name, hit.frame)
        for hit in answer.hits
        if hit.kind == "image"
    ]
    if not cards:
        print(f"There is no picture to show on {given.sheet}.", file=sys.stderr)
        return
    outcome = "" if answer.confident else " · nothing stands out"
    subtitle = f"the best {len(cards)} of {answer.searched:,} pictures{outcome}"
    try:
        write_png(contact_sheet(asked, subtitle, cards), Path(given.sheet))
    except OSError as exc:
        raise WrongUse(f"{given.sheet} can't be written: {exc.strerror}.") from exc
    print(f"{given.sheet} shows them.", file=sys.stderr)


def _folders(known: dict[str, set[str]]) -> dict[str, int]:
    """How many entries each folder has, the fullest first."""
    counts: dict[str, int] = {}
    for source, slots in known.items():
        folder = os.path.dirname(source)
        counts[folder] = counts.get(folder, 0) + len(slots)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _shown(path: str) -> str:
    """A path as short as it can be typed from here."""
    relative = os.path.relpath(path)
    shown = path if relative.startswith("..") else relative
    return shown.encode(errors="replace").decode()  # a name of any bytes, see folder


# ---- the words themselves


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m index",
        description="Find pictures by what is in them.",
        epilog="Exit codes: 0 done, 1 nothing found, 2 wrong use or a refusal that says why, "
        "130 interrupted (run the same command again to go on).",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _describe_add(commands.add_parser("add", help="make pictures searchable", parents=[_common()]))
    _describe_find(commands.add_parser("find", help="look for something", parents=[_common()]))
    described = commands.add_parser("info", help="what is in the gallery", parents=[_common()])
    described.add_argument("--json", action="store_true", help="for programs")
    described.set_defaults(run=info)
    _describe_look(
        commands.add_parser("look", help="why a picture is not found", parents=[_common()])
    )
    _describe_backup(
        commands.add_parser("backup", help="copy the gallery, also in use", parents=[_common()]),
        commands.add_parser("restore", help="take a copy back", parents=[_common()]),
    )
    return parser


def _describe_backup(
    backing_up: argparse.ArgumentParser, restoring: argparse.ArgumentParser
) -> None:
    backing_up.description = "A consistent copy of the gallery; a bot may go on writing it."
    backing_up.add_argument("copy", metavar="COPY", help="the file to write; none is overwritten")
    backing_up.set_defaults(run=backup)
    restoring.description = "Put a copy in the gallery's place; what is there is kept beside it."
    restoring.add_argument("copy", metavar="COPY")
    restoring.set_defaults(run=restore)


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--db",
        metavar="FILE",
        help="the gallery's file (default: magpie.db in this folder if it is there, "
        "else ~/.local/share/magpie/photos.db)",
    )
    common.add_argument(
        "--model",
        metavar="NAME",
        help="a CLIP or SigLIP model: a name on the Hugging Face hub or a folder "
        f"(default: the gallery's own, else {DEFAULT_MODEL})",
    )
    common.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)"
    )
    return common


def _describe_add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make pictures searchable. Run it again whenever you like: what is unchanged is "
        "skipped, what changed is read again, what vanished is taken out. Ctrl-C is safe."
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="folders or pictures")
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="FILE",
        help="a text file, each line an entry to be found",
    )
    parser.set_defaults(run=add)


def _describe_find(parser: argparse.ArgumentParser) -> None:
    parser.description = "Find what fits words, a picture, or both together."
    parser.add_argument("words", nargs="*", metavar="WORDS", help="what is to be seen")
    parser.add_argument("--image", metavar="FILE", help="something like this picture")
    parser.add_argument("-k", type=_positive, default=10, metavar="N", help="how many (10)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--sheet", metavar="OUT.png", help="write a contact sheet to look at")
    parser.add_argument(
        "--kind",
        choices=("image", "text"),
        help="what to look for (default: images, or texts where there is nothing else)",
    )
    parser.set_defaults(run=find)


def _describe_look(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "A picture as the model sees it, whether it is in the gallery, and what is near it; "
        "with --for, where it stands among the answers to some words."
    )
    parser.add_argument("picture", metavar="PICTURE")
    parser.add_argument("--out", metavar="OUT.png", help="write what the model sees")
    parser.add_argument("--for", dest="words", metavar="WORDS", help="what it should be found by")
    parser.set_defaults(run=look)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


async def _size(given: argparse.Namespace) -> int:
    path = _database(given)
    return await asyncio.to_thread(lambda: path.stat().st_size)
