"""`map`: what the pictures of a gallery are about, and a map of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.commands import Name, flag, option
from console.exits import DONE
from console.output import counted, harmless, say, say_error, say_json
from index.cli import gallery as galleries
from index.cli.command import FolderCommand, Given
from index.cli.place import SPACE
from index.cli.signals import ending_at_once

if TYPE_CHECKING:
    from index.types.overview import Cluster, Month, Overview
    from index.types.records import Link

# Pictures on a map: one for nearly each of its cells.
MOST_PICTURES = 110
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

    if given.out:
        check_name(given.out)
    async with galleries.reading(given) as gallery:
        if given.out:
            await galleries.spare_pictures(gallery, given.out)
        await galleries.require_links(gallery, given)
        with ending_at_once():
            await gallery.load_model()  # it names the clusters
        await galleries.ready_to_judge(gallery)
        overview = await gallery.overview(Filter(SPACE))
        first = [link for cluster in overview.clusters for link in cluster.shown[:4]]
        wanted = drawing.wanted(overview, first, MOST_PICTURES) if given.out else []
        shown = [cluster.shown[0] for cluster in overview.clusters]
        found = await gallery.links.with_ids([*wanted, *shown])
    links = {id: link for id, (link, _, _) in found.items()}
    if given.json:
        say_json(_json(overview, links))
    else:
        _say(overview)
    if given.out:
        drawn = {id: links[id] for id in wanted if id in links}
        await asyncio.to_thread(_draw, overview, drawn, given.out)
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
    from pathlib import Path

    from index.cli.sheet import thumbnail, write
    from index.drawing import atlas

    pictures = {id: thumbnail(Path(link.source), 0) for id, link in links.items()}
    shown = {id: picture for id, picture in pictures.items() if picture is not None}
    names = [_name(cluster) for cluster in overview.clusters]
    title = counted(overview.count, "picture")
    write(atlas(title, "What looks alike lies together.", overview, names, shown), out)


COMMAND = FolderCommand(
    "map",
    run,
    Map,
    summary="say what the pictures are about, and draw a map of them",
    help="What the pictures of the gallery are about: clusters of pictures that look alike, each "
    "named by words that the model sees in them and not in the others, with how many they are "
    "and how many each month has. --out draws a map on which like lies by like.",
    params=[
        option(
            "--out",
            metavar="FILE",
            type=Name(),
            help="draw the map: a .png, .jpg or .webp file",
        ),
        flag("--json", help="for programs"),
    ],
)
