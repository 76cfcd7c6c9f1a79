"""`map`, on a folder of pictures."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser

from index.cli.commands import map
from index.cli.main import main
from index.drawing import atlas_page
from index.types.overview import Overview
from tests.index.colours import png
from tests.page.conftest import browser as browser  # pytest finds it here


@pytest.fixture
def gallery(tmp_path: Path, tiny_clip: Path) -> list[str]:
    """The options of a gallery of twelve pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.png").write_bytes(png((20 * number, 200 - 9 * number, 90)))
    options = ["--db", str(tmp_path / "g.db")]
    assert main(["add", str(folder), "--model", str(tiny_clip), *options]) == 0
    return options


def test_each_picture_is_counted(gallery: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["map", *gallery, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == sum(one["pictures"] for one in told["clusters"]) == 12
    assert all(Path(one["path"]).exists() for one in told["clusters"])


def test_the_map_is_drawn(
    gallery: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "map.png"
    assert main(["map", *gallery, str(out)]) == 0
    assert "12 pictures" in capsys.readouterr().out
    with Image.open(out) as drawn:
        assert drawn.width > 1000


def test_a_map_never_takes_the_place_of_a_picture(gallery: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "photos" / "3.png"
    before = picture.read_bytes()
    assert main(["map", *gallery, str(picture)]) == 2
    assert picture.read_bytes() == before


def test_an_empty_gallery_has_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "--db", str(tmp_path / "none.db")]) == 2
    assert "no gallery" in capsys.readouterr().err


class Elements(html.parser.HTMLParser):
    """The scripts of a page by their type, and the addresses in its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.addresses: list[str] = []
        self.policy = ""
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in = given["type"] if tag == "script" else ""
        self.addresses += [value for name, value in given.items() if name in ("src", "href")]
        self.policy = self.policy or given.get("content", "")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.scripts[self._in] = self.scripts.get(self._in, "") + data


@pytest.fixture
def page(gallery: list[str], tmp_path: Path) -> Path:
    """The map as a page."""
    out = tmp_path / "map.html"
    assert main(["map", str(out), *gallery]) == 0
    return out


def test_the_page_has_all_that_it_needs_and_runs_only_its_own_script(page: Path) -> None:
    found = Elements(page.read_text("utf-8"))
    assert found.addresses == []
    assert "default-src 'none'" in found.policy
    digest = hashlib.sha256(found.scripts["module"].encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in found.policy
    told = json.loads(found.scripts["application/json"])
    assert len(told["atlas"]["points"]) == len(told["pictures"]) > 0
    assert told["atlas"]["count"] == 12
    assert all(name.endswith(".png") for name in told["names"].values())
    assert str(page.parent) not in page.read_text("utf-8")  # names, and no paths


def test_no_name_ends_the_script_of_a_page() -> None:
    hostile = "</script><script>alert(1)</script><!--<script>.png"
    one = np.array([7])
    overview = Overview(1, {}, (), one, np.zeros((1, 2), np.float32), one * 0)
    found = Elements(atlas_page(hostile, hostile, overview, {7: b"x"}, {7: hostile}))
    assert set(found.scripts) == {"application/json", "module"}
    assert json.loads(found.scripts["application/json"])["names"] == {"7": hostile}


def test_a_page_has_pictures_within_its_bound(
    gallery: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map, "MOST_PAGE_BYTES", 200)
    out = tmp_path / "map.html"
    assert main(["map", str(out), *gallery]) == 0
    told = json.loads(Elements(out.read_text("utf-8")).scripts["application/json"])
    size = sum(len(base64.b64decode(one.split(",")[1])) for one in told["pictures"].values())
    assert 0 < size <= 200
    assert len(told["atlas"]["points"]) > len(told["pictures"])


def test_a_page_that_can_not_be_written_is_refused(
    gallery: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", "nowhere/map.html", *gallery]) == 2
    assert "there is no folder nowhere" in capsys.readouterr().err


@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_draws_without_any_server(page: Path, browser: Browser) -> None:
    context = await browser.new_context(offline=True)
    shown = await context.new_page()
    errors, asked = list[str](), list[str]()
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.on("console", lambda message: errors.append(message.text))
    shown.on("request", lambda request: asked.append(request.url))
    await shown.goto(page.as_uri())
    await shown.wait_for_selector("#atlas canvas")
    await shown.wait_for_timeout(500)
    drawn = await shown.evaluate(
        """() => {
            const canvas = document.querySelector("#atlas canvas");
            const pen = canvas.getContext("2d");
            const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, at) => at % 4 === 3 && value > 0);
        }"""
    )
    await context.close()
    assert drawn
    assert errors == []
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
