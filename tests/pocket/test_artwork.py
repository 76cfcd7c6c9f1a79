"""Artwork that is missing or incomplete: one clear sentence, and nothing is overwritten."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pocket.artwork import (
    PACKAGES,
    Artwork,
    ArtworkError,
    code_points,
    read_subject_lines,
    split_emoji,
    tidy,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Packages that have their manifests but not their contents."""
    for name in PACKAGES:
        package = tmp_path / "artwork" / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text('{"version": "0.0.0"}')
    return tmp_path / "artwork"


def pocket(*words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        [sys.executable, "-m", "pocket", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_half_downloaded_package_is_one_sentence_and_the_old_world_stays(
    folder: Path, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    world.mkdir()
    (world / "world.json").write_text("the old one")
    broken = folder / "node_modules" / "emojibase-data"
    for language in ("en", "de"):
        (broken / language).mkdir()
        (broken / language / "data.json").write_text('[{"emoji": "🐕", "label": "do')
    done = pocket("--artwork", str(folder), "world", "--out", str(world))
    assert done.returncode == 1
    assert "emojibase-data is damaged" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [file.name for file in world.iterdir()] == ["world.json"]
    assert (world / "world.json").read_text() == "the old one"
    assert not list(tmp_path.glob(".world*"))


@pytest.mark.slow
def test_without_npm_training_says_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "model"
    done = pocket(
        "--artwork", str(tmp_path / "none"), "train", "--out", str(out), path=str(tmp_path)
    )
    assert done.returncode == 1
    assert "no npm here" in done.stderr
    assert not out.exists()


def test_missing_file_of_a_package_is_named(folder: Path) -> None:
    with pytest.raises(ArtworkError, match=r"twemoji has no icons\.json"):
        Artwork(folder).svg("twemoji", "🐕")


def test_icon_set_without_icons_is_refused(folder: Path) -> None:
    package = folder / "node_modules" / "@iconify-json" / "noto"
    (package / "icons.json").write_text(json.dumps({"prefix": "noto", "icons": {}}))
    (package / "chars.json").write_text("{}")
    with pytest.raises(ArtworkError, match="holds no icons"):
        Artwork(folder).svg("noto", "🐕")


def test_there_are_many_subjects_and_no_duplicates() -> None:
    lines = list(read_subject_lines())
    names = [name for name, *_ in lines]
    drawings = [code_points(emoji) for _, row, *_ in lines for emoji in split_emoji(row)]
    assert len(names) >= 400
    assert len(set(names)) == len(names)
    assert len(set(drawings)) == len(drawings)


def test_joined_emoji_are_not_split() -> None:
    assert split_emoji("🐕🐻‍❄️🕷️") == ("🐕", "🐻‍❄️", "🕷️")
    assert code_points("🐻‍❄️") == "1f43b-200d-2744"


def test_endings_in_brackets_are_removed() -> None:
    assert tidy("Radfahrer(in)") == "radfahrer"
