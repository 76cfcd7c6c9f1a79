"""Contact sheets and maps of an overview."""

from __future__ import annotations

import numpy as np
from PIL import Image

from index.drawing import Section, atlas, overview_sheet, wanted
from index.drawing.atlas import COLUMNS, ROWS, SIZE, _cells
from index.drawing.parts import OF_CLUSTERS
from index.types.overview import Cluster, Overview

RED, BLUE = (200, 10, 20), (10, 20, 200)


def overview(count: int = 200) -> Overview:
    random = np.random.default_rng(1)
    places = random.random((count, 2)).astype(np.float32)
    of = (places[:, 0] > 0.5).astype(np.int64)
    links = np.arange(1, count + 1)
    clusters = tuple(
        Cluster(
            (name,),
            int((of == n).sum()),
            {(2024, 5): 3},
            tuple(links[of == n][:9].tolist()),
            middle,
        )
        for n, (name, middle) in enumerate((("dog", (0.25, 0.5)), ("cat", (0.75, 0.5))))
    )
    return Overview(count, {(2024, 5): 6}, clusters, links, places, of)


def colours(picture: Image.Image) -> set[tuple[int, int, int]]:
    return set(map(tuple, np.asarray(picture).reshape(-1, 3).tolist()))


def test_each_cluster_has_its_pictures_on_the_sheet() -> None:
    red, blue = (Image.new("RGB", (300, 200), colour) for colour in (RED, BLUE))
    sections = [Section("dog", "3 pictures", [red], [1, 2]), Section("cat", "", [blue], [0, 1])]
    sheet = overview_sheet("Pictures", "6", [1, 3], ("May", "June"), sections)
    assert {RED, BLUE, OF_CLUSTERS[0], OF_CLUSTERS[1]} <= colours(sheet)


def test_a_sheet_of_nothing_but_names_is_drawn() -> None:
    """All pictures may be gone."""
    sections = [Section(f"cluster {n}", "", [], []) for n in range(12)]
    assert overview_sheet("Pictures", "", [], ("", ""), sections).width > 500
    assert atlas("Map", "", overview(), ["dog", "cat"], {}).size == SIZE


def test_no_two_pictures_of_a_map_cover_each_other() -> None:
    of = overview()
    shown = wanted(of, [link for one in of.clusters for link in one.shown], 60)
    assert len(shown) == len(set(shown)) == 60
    assert set(of.clusters[0].shown) <= set(shown)
    cells = _cells(of, shown)
    assert len(set(cells.values())) == len(cells) > 40
    assert all(0 <= x < COLUMNS and 0 <= y < ROWS for x, y in cells.values())


def test_a_map_shows_dots_pictures_and_names() -> None:
    picture = Image.new("RGB", (90, 90), RED)
    drawn = atlas("Map", "", overview(), ["dog", ""], {1: picture})
    assert {RED, OF_CLUSTERS[0], OF_CLUSTERS[1]} <= colours(drawn)
    assert atlas("Map", "", overview(), ["", ""], {1: picture}).tobytes() != drawn.tobytes()
