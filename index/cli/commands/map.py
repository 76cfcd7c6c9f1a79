"""`map`: what the pictures of a gallery are about, and a map of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.commands import Name, flag
from console.exits import DONE, WrongUse
from console.output import counted, harmless, say, say_error, say_json
from console.reasons import reason_of
from index.cli import gallery as galleries
from index.cli.command import FolderCommand, Given
from index.cli.paths import check_place
from index.cli.place import SPACE
from index.cli.signals import ending_at_once
from index.types.errors import PictureError

if TYPE_CHECKING:
    from index.types.overview import Cluster, Month, Overview
    from index.types.records import Link

# Pictures on a map: one for nearly each of its cells.
MOST_PICTURES = 110
# Pictures of a page, into which one can zoom, and how many bytes they have at most.
MOST_ON_PAGE, MOST_PAGE_BYTES = 600, 10_000_000
PICTURE_HEIGHT = 200
PAGE = ".html"
ALIKE = "What looks alike lies together."
NO_NAME = "assorted"
BARS = " ▁▂▃▄▅▆▇█"
MOST_MONTHS = 24  # the last ones, in the terminal


@dataclass(frozen=True, kw_only=True)
class Map(Given):
    """What `map` is given, as typed; see its help."""

    out: str | None
    json: bool


async def run(given: Map) -> int:
    """Print the clusters of a gallery, and draw its map."""
    from index import drawing
    from index.cli.sheet import check_name
    from index.types.filter import Filter

    is_page = given.out is not None and given.out.lower().endswith(PAGE)
    if given.out:
        (check_place if is_page else check_name)(given.out)
    async with galleries.reading(given) as gallery:
        if given.out:
            await galleries.spare_pictures(gallery, given.out)
        await galleries.require_links(gallery, given)
        with ending_at_once():
            await gallery.load_model()  # it names the clusters
        await galleries.ready_to_judge(gallery)
        overview = await gallery.overview(Filter(SPACE))
        first = [link for cluster in overview.clusters for link in cluster.shown[:4]]
        most = MOST_ON_PAGE if is_page else MOST_PICTURES
        wanted = drawing.wanted(overview, first, most) if given.out else []
        shown = [cluster.shown[0] for cluster in overview.clusters]
        found = await gallery.links.with_ids(SPACE, [*wanted, *shown])
    links = {id: link for id, (link, _, _) in found.items()}
    if given.json:
        say_json(_json(overview, links))
    else:
        _say(overview)
    if given.out:
        drawn = {id: links[id] for id in wanted if id in links}
        draw = _write_page if is_page else _draw
        await asyncio.to_thread(draw, overview, drawn, given.out)
        say_error(f"{harmless(given.out)} shows them on a map.")
    return DONE


def _name(cluster: Cluster) -> str:
    return ", ".join(cluster.words) or NO_NAME


def _say(overview: Overview) -> None:
    span = f", {_span(*overview.span)}" if overview.count else ""
    say(f"{counted(overview.count, 'picture')}{span}")
    shown = overview.last_months(MOST_MONTHS)
    width = max((len(_name(cluster)) for cluster in overview.clusters), default=0)
    for cluster in overview.clusters:
        share = cluster.count / overview.count
        bars = _bars(cluster.months, shown)
        say(f"{cluster.count:>8,} {share:>5.0%}  {_name(cluster):<{width}}  {bars}".rstrip())
    if len(shown) > 1 and (shown[0], shown[-1]) != overview.span:
        say(f"The bars are months, {_span(shown[0], shown[-1])}.")


def _span(first: Month, last: Month) -> str:
    said = [f"{year}-{month:02}" for year, month in (first, last)]
    return " to ".join(dict.fromkeys(said))


def _bars(counts: Mapping[Month, int], months: Sequence[Month]) -> str:
    """How many pictures each month has, as bars; "" for a single month."""
    most = max((counts.get(month, 0) for month in months), default=0)
    if len(months) < 2 or not most:
        return ""
    steps = len(BARS) - 1
    return "".join(BARS[-(-steps * counts.get(month, 0) // most)] for month in months)


def _json(overview: Overview, links: Mapping[int, Link]) -> dict[str, Any]:
    return {
        "pictures": overview.count,
        "months": _months(overview.months),
        "clusters": [
            {
                "words": list(cluster.words),
                "pictures": cluster.count,
                "months": _months(cluster.months),
                "path": links[cluster.shown[0]].source if cluster.shown[0] in links else None,
            }
            for cluster in overview.clusters
        ],
    }


def _months(counts: Mapping[Month, int]) -> dict[str, int]:
    return {f"{year}-{month:02}": count for (year, month), count in counts.items()}


def _draw(overview: Overview, links: Mapping[int, Link], out: str) -> None:
    """Draw the map. raises WrongUse"""
    from index.cli.sheet import thumbnail, write
    from index.drawing import atlas

    pictures = {id: thumbnail(Path(link.source), 0) for id, link in links.items()}
    shown = {id: picture for id, picture in pictures.items() if picture is not None}
    names = [_name(cluster) for cluster in overview.clusters]
    title = counted(overview.count, "picture")
    write(atlas(title, ALIKE, overview, names, shown), out)


def _write_page(overview: Overview, links: Mapping[int, Link], out: str) -> None:
    """Write the map as a page. raises WrongUse"""
    from index.drawing import atlas_page
    from index.embed.checkpoint import cpu_count

    pictures: dict[int, bytes] = {}
    left = MOST_PAGE_BYTES
    with ThreadPoolExecutor(cpu_count()) as threads:
        small = threads.map(_small, (link.source for link in links.values()))
        for id, picture in zip(links, small, strict=True):
            left -= len(picture or b"")
            if picture is not None and left >= 0:
                pictures[id] = picture
    names = {id: links[id].name for id in pictures}
    page = atlas_page(counted(overview.count, "picture"), ALIKE, overview, pictures, names)
    try:
        Path(out).write_text(page, "utf-8")
    except OSError as exc:
        raise WrongUse(f"{harmless(out)} can't be written: {reason_of(exc)}.") from exc


def _small(source: str) -> bytes | None:
    """A small picture of a file; None when it can't be read any more."""
    from index.cli.contents import contents
    from index.stills import thumbnail_of

    try:
        return thumbnail_of(asyncio.run(contents(Path(source))), PICTURE_HEIGHT)
    except (PictureError, OSError):
        return None


COMMAND = FolderCommand(
    "map",
    run,
    Map,
    summary="say what the pictures are about, and draw a map of them",
    help="What the pictures of the gallery are about: clusters of pictures that look alike, each "
    "named by words that the model sees in them and not in the others, with how many they are "
    "and how many each month has. OUT gets a map on which like lies by like: a picture (.png, "
    ".jpg, .webp), or a page to zoom into (.html), which has small pictures and file names in it "
    "and needs nothing else.",
    params=[
        click.Argument(["out"], required=False, metavar="OUT", type=Name()),
        flag("--json", help="for programs"),
    ],
)
