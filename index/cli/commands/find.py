"""`find`: the pictures (or texts) that fit words, a picture, or both."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.cli import gallery as galleries
from index.cli import paths
from index.cli.exits import DONE, NOTHING_FOUND, WrongUse

if TYPE_CHECKING:
    from index.gallery import Gallery
    from index.types.records import Answer, Hit, Kind


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("find", help="look for something", parents=[common])
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
    parser.set_defaults(run=run)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


async def run(given: argparse.Namespace) -> int:
    """Print the answer to a question, best first."""
    from index.types.filter import Filter
    from index.types.query import Query

    words = " ".join(given.words)
    if not words.strip() and not given.image:
        raise WrongUse(
            "What shall be found? Give some words, --image FILE, or both:\n"
            f"  {given.prog} find dog in snow"
        )
    image = paths.read(given.image) if given.image else None
    async with galleries.reading(given) as gallery:
        kind = await _kind(gallery, given)
        answer = await gallery.find(Query(text=words, image=image), Filter(0, kind=kind), k=given.k)
    if given.json:
        print(json.dumps(_answer_json(words, given.image, answer), ensure_ascii=False, indent=2))
    else:
        _print_answer(answer)
    if given.sheet:
        _write_sheet(given, words, answer)
    return DONE if answer.hits else NOTHING_FOUND


async def _kind(gallery: Gallery, given: argparse.Namespace) -> Kind:
    """What to look for: --kind; else images, unless there are only texts."""
    counts = await gallery.links.count()
    if not counts.links:
        raise WrongUse(
            f"The gallery {galleries.database(given)} is empty. Add some pictures:\n"
            f"  {given.prog} add ~/Pictures"
        )
    if given.kind:
        kind: Kind = given.kind
        return kind
    return "image" if counts.images else "text"


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
    path = paths.short(hit.link.source)
    if hit.kind == "text":
        return f"{path}:{hit.link.slot}: {hit.text}"
    return path + (f" (frame {hit.frame + 1})" if hit.frame else "")


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

    question = " and ".join(
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
    write_png(contact_sheet(question, subtitle, cards), Path(given.sheet))
    print(f"{given.sheet} shows them.", file=sys.stderr)
