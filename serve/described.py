"""What the page is told of a picture."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from index.cli.hits import Shown
from index.cli.place import SPACE
from index.gallery import Gallery
from index.types.filter import Filter
from serve.guard import Refused
from serve.inventory import Inventory

GONE = "This picture is no longer in the gallery."
AWAY = "The file is not there now."
MOST_SAID = 400  # letters of what is written in a picture


async def hits(gallery: Gallery, inventory: Inventory, shown: Sequence[Shown]) -> list[Any]:
    """Hits, as the page reads them; those that left the folder are left out."""
    places = {one.rank: inventory.of_source(one.link.source) for one in shown}
    links = [int(inventory.links[place]) for place in places.values() if place is not None]
    frames = await gallery.links.frame_counts(links)
    found = []
    for one in shown:
        place = places[one.rank]
        if place is None:
            continue
        copies = [inventory.of_source(link.source) for link in one.copies]
        found.append(
            _described(
                inventory,
                place,
                frames=frames.get(int(inventory.links[place]), 1),
                frame=one.hit.frame,
                second=one.hit.second,
                copies=[copy for copy in copies if copy is not None],
                concepts=one.hit.concepts,
                says=one.hit.says,
                sure=one.hit.sure,
                here=one.is_here,
            )
            | {"score": round(one.hit.score, 4)}
        )
    return found


async def picture(gallery: Gallery, inventory: Inventory, link: int) -> dict[str, Any]:
    """One picture of the folder. raises Refused, ModelChanged"""
    if told := await pictures(gallery, inventory, [link]):
        return told[0]
    raise Refused(404, GONE)


async def pictures(
    gallery: Gallery, inventory: Inventory, links: Sequence[int]
) -> list[dict[str, Any]]:
    """Pictures that no question was asked about; those that left the folder are left out.

    raises   ModelChanged
    """
    places = {link: place for link in links if (place := inventory.place(link)) is not None}
    there = list(places)
    frames = await gallery.links.frame_counts(there)
    same = await gallery.links.copies(there, Filter(SPACE))
    lines = await gallery.transcripts.of_links(there)
    concepts = await gallery.concepts_of(there)
    sources = [inventory.sources[place] for place in places.values()]
    here = await asyncio.to_thread(lambda: list(map(os.path.exists, sources)))
    return [
        _described(
            inventory,
            place,
            frames=frames.get(link, 1),
            copies=[
                copy
                for id in same.get(link, {})
                if id != link and (copy := inventory.place(id)) is not None
            ],
            concepts=concepts.get(link, ()),
            says=" / ".join(lines.get(link, ()))[:MOST_SAID] or None,
            here=exists,
        )
        for (link, place), exists in zip(places.items(), here, strict=True)
    ]


def _described(
    inventory: Inventory,
    place: int,
    *,
    frames: int,
    copies: Sequence[int],
    concepts: Sequence[str],
    says: str | None,
    frame: int = 0,
    second: float | None = None,
    sure: bool = True,
    here: bool = True,
) -> dict[str, Any]:
    path = inventory.relative(inventory.sources[place])
    name = os.path.basename(path)
    return {
        "id": int(inventory.links[place]),
        "v": inventory.version(place),
        "path": path,
        "name": name,
        "folder": os.path.dirname(path),
        "taken": round(float(inventory.posted[place])),
        "width": int(inventory.widths[place]),
        "height": int(inventory.heights[place]),
        "kind": "clip" if frames > 1 else "picture",
        "frames": frames,
        "frame": frame,
        "second": second,
        "copies": [
            {
                "id": int(inventory.links[copy]),
                "path": inventory.relative(inventory.sources[copy]),
            }
            for copy in copies
        ],
        "concepts": list(concepts),
        "says": says,
        "sure": sure,
        "here": here,
        "why": None if here else AWAY,
        "alt": alternative(name, concepts, says),
    }


def alternative(name: str, concepts: Sequence[str], says: str | None) -> str:
    """A picture in words, for whoever can't see it."""
    seen = f"{name}: {', '.join(concepts)}." if concepts else f"{name}."
    return f"{seen} It says “{says}”." if says else seen
