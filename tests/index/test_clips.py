"""Videos and animations in a gallery: found by a scene, whose second is named and whose still is
kept."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from checks.fuzzing.films import film
from index import Filter, Gallery, Group, Link, Query
from index.cli.main import main
from index.clips.clip import BytesSource
from tests.index.colours import NAMES, ColourEmbedder, encoded

SCENES = [NAMES[name] for name in ("red", "green", "blue", "yellow", "white")]


def link(source: str) -> Link:
    return Link(1, Group(10), source, "a", name=f"{source}.mp4")


async def test_a_scene_of_a_video_is_found_with_its_second(
    tmp_path: Path, embedder: ColourEmbedder
) -> None:
    gallery = await Gallery.open(tmp_path / "g.db", embedder)
    data = await gallery.scenes(BytesSource(film("libx264", scenes=SCENES)))
    await gallery.add(data, link("clip"))
    for place, name in enumerate(("red", "green", "blue", "yellow")):
        [hit] = (await gallery.find(Query(text=name), Filter(1), k=5, guesses=True)).hits
        assert hit.second is not None
        assert int(hit.second) == place
        assert hit.clock == f"0:0{place}"
        still = Image.open(io.BytesIO((await gallery.links.stills({hit.id: hit.frame}))[hit.id]))
        assert max(still.size) <= 320
        near = min(NAMES, key=lambda n: sum(abs(a - b) for a, b in zip(
            still.convert("RGB").getpixel((5, 90)), NAMES[n], strict=True)))  # fmt: skip
        assert near == name
    [listed] = (await gallery.find(Query(), Filter(1, since=-1.0), k=5)).hits
    assert listed.clock == ""  # it wasn't found by a frame
    await gallery.close()


async def test_a_video_that_is_posted_again_is_embedded_once(
    tmp_path: Path, embedder: ColourEmbedder
) -> None:
    gallery = await Gallery.open(tmp_path / "g.db", embedder)
    clip = film("libx264", scenes=SCENES)
    await gallery.add(await gallery.scenes(BytesSource(clip)), link("1"))
    calls = len(embedder.calls)
    again = await gallery.scenes(BytesSource(clip))
    await gallery.add(again, link("2"))
    assert len(embedder.calls) == calls
    assert (await gallery.links.count()).images == 1
    assert len(await gallery.copies_of(again, Filter(1))) == 2
    await gallery.close()


async def test_an_animation_tells_its_second_and_a_still_picture_none(
    tmp_path: Path, embedder: ColourEmbedder
) -> None:
    gallery = await Gallery.open(tmp_path / "g.db", embedder)
    first, *others = [Image.new("RGB", (32, 32), colour) for colour in SCENES]
    gif = encoded(first, "GIF", save_all=True, append_images=others, duration=2000)
    await gallery.add(gif, link("gif"))
    await gallery.add(encoded(Image.new("RGB", (32, 32), NAMES["blue"]), "PNG"), link("still"))
    hits = (await gallery.find(Query(text="blue"), Filter(1), k=5, guesses=True)).hits
    assert {hit.link.source: hit.second for hit in hits} == {"gif": 4.0, "still": None}
    await gallery.close()


def test_a_folder_of_videos_on_the_command_line(
    tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(film("libx264", scenes=SCENES))
    (tmp_path / "clips" / "broken.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(99))
    assert main(["add", "clips", "--db", "g.db", "--model", str(tiny_clip)]) == 0
    assert "This video is damaged" in capsys.readouterr().out
    find = ["find", "--image", "clips/a.mp4", "--guesses", "--db", "g.db", "--sheet", "out.png"]
    assert main([*find, "--json"]) == 0
    [hit] = json.loads(capsys.readouterr().out)["hits"]
    assert hit["second"] is not None
    assert main(find) == 0
    assert "a.mp4 (at 0:0" in capsys.readouterr().out
    assert Path("out.png").exists()
    assert main(["look", "clips/a.mp4", "--db", "g.db"]) == 0
    assert "searched: at 0:00, 0:0" in capsys.readouterr().out
