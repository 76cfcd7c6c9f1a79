"""The pictures of an overview's message: its contact sheet and its map."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image

from bot.overview import cards
from bot.text import overview as text
from index import Overview, drawing

# Pictures that are drawn: the contact sheet has four of each cluster, and the map has these and
# others. Each costs a request, and Discord lets some five a second be read in one channel.
OF_A_CLUSTER, ON_THE_MAP = 4, 60
MONTHS = 48  # on the contact sheet
QUALITY = 80  # of WebP


def wanted(overview: Overview) -> list[int]:
    """The links whose pictures are drawn: the first ones of each cluster, then its second ones, and
    so on; then others that fill the map."""
    places = range(OF_A_CLUSTER)
    first = [one.shown[n] for n in places for one in overview.clusters if n < len(one.shown)]
    return drawing.wanted(overview, first, ON_THE_MAP)


def drawn(overview: Overview, stills: Mapping[int, bytes]) -> dict[str, bytes]:
    """The contact sheet and the map as files, by their names; for a thread."""
    pictures = {link: drawing.opened(still) for link, still in stills.items()}
    months = overview.last_months(MONTHS)
    names = [text.name(cluster.words) for cluster in overview.clusters]
    sections = [
        drawing.Section(
            name,
            f"{text.pictures(cluster.count)} · {text.share(cluster.count, overview.count)}",
            [pictures[link] for link in cluster.shown if link in pictures],
            cards.months_of(cluster, months),
        )
        for name, cluster in zip(names, overview.clusters, strict=True)
    ]
    sheet = drawing.overview_sheet(
        text.title(),
        cards.subtitle(overview),
        [overview.months.get(month, 0) for month in months],
        (text.month(months[0]), text.month(months[-1])),
        sections,
    )
    about = text.how_to_read_the_atlas()
    atlas = drawing.atlas(text.atlas_title(), about, overview, names, pictures)
    return {cards.SHEET: _file(sheet), cards.ATLAS: _file(atlas)}


def _file(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()
