"""The commands of the operators' page do what it says, in the order in which they stand there."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Gallery
from tests.index.colours import ColourEmbedder, png
from tests.index.store.sqlite.make_released import link

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "operating.md").read_text()
INTENTS = (ROOT / "docs" / "intents.md").read_text()
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
# What is tried here: the rest needs Docker, systemd, a network or a token.
TRIED = (".venv/bin/magpie ", "git rev-parse", "rm -rf data/")
KNOWN = (
    *TRIED, "cd ", "cp ", "git ", "make ", "docker compose ", "sudo ", "journalctl ",
)  # fmt: skip


def lines_of(text: str) -> Iterator[str]:
    """The lines of its blocks for a shell."""
    for language, block in BLOCK.findall(text):
        if not language:
            yield from (line.strip() for line in block.splitlines())


def commands(section: str) -> list[str]:
    """The lines that a section tells its reader to type."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return list(lines_of(text))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout of Magpie, as far as the commands need one: `.venv`, `data`, a commit."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in (("magpie", "-m magpie "), ("python", "")):
        script = programs / name
        run = f"PYTHONPATH={ROOT} exec {sys.executable} {module}"
        script.write_text(f'#!/bin/sh\n{run}"$@"\n')
        script.chmod(0o755)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run([*git, "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(
        [*git, "commit", "--quiet", "--allow-empty", "--message", "1"], cwd=tmp_path, check=True
    )
    asyncio.run(_add(tmp_path, "red", 1))
    return tmp_path


async def _add(folder: Path, colour: str, number: int) -> None:
    gallery = await Gallery.open(folder / "data" / "magpie.db", ColourEmbedder())
    await gallery.add(png(colour), link(number))
    await gallery.close()


async def _links(folder: Path) -> int:
    gallery = await Gallery.open(folder / "data" / "magpie.db", read_only=True)
    count = await gallery.links.count_links()
    await gallery.close()
    return count


def do(folder: Path, section: str) -> None:
    lines = [line for line in commands(section) if line.startswith(TRIED)]
    assert lines
    for line in lines:
        done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
def test_an_upgrade_can_be_taken_back_and_all_can_be_removed(folder: Path) -> None:
    do(folder, "Upgrade")
    assert re.fullmatch(r"[0-9a-f]{40}\n", (folder / "before-upgrade.version").read_text())
    asyncio.run(_add(folder, "blue", 2))
    assert asyncio.run(_links(folder)) == 2
    do(folder, "Go back")
    assert asyncio.run(_links(folder)) == 1
    do(folder, "Watch over it")
    assert len(list(folder.glob("backup-20*.db"))) == 1
    kept = {file.name for file in (folder / "data").iterdir()}
    assert {"magpie.db", "magpie.db.before"} <= kept
    do(folder, "Uninstall")
    assert list((folder / "data").iterdir()) == []


def test_every_command_is_of_a_kind_that_was_tried_or_is_told_of() -> None:
    lines = list(lines_of(PAGE))
    assert len(lines) > 30
    assert [line for line in lines if not line.startswith(KNOWN)] == []


def test_folders_and_files_are_those_of_the_unit_and_of_compose() -> None:
    unit = (ROOT / "deploy" / "magpie.service").read_text()
    there = (unit, (ROOT / "Dockerfile").read_text())
    copies = ("/var/lib/magpie/old.db", "/data/old.db")
    for path in re.findall(r"(?<= )/(?:opt|etc|var|data)/\S*magpie\S*", "\n".join(lines_of(PAGE))):
        inside = ROOT / path.removeprefix("/opt/magpie/")
        known = any(path in text for text in there) or inside.exists() or path in copies
        assert known or "/systemd/" in path or path.endswith("/.venv/bin/magpie"), path
    assert set(re.findall(r"docker compose exec (\w+)", PAGE)) == {"magpie"}
    assert set(re.findall(r"--entrypoint \S+ (\w+)", PAGE)) == {"magpie"}


def test_the_readme_and_the_page_say_where_magpie_is_cloned_from() -> None:
    for text in ((ROOT / "README.md").read_text(), PAGE):
        lines = re.findall(r"git clone (\S+)", text)
        assert set(lines) == {"https://github.com/<owner>/magpie"}
        assert "For `<owner>`" in text


def test_the_intents_are_those_that_the_page_tells_of() -> None:
    asked = re.findall(r"discord\.Intents\(([^)]*)\)", (ROOT / "bot" / "app.py").read_text())
    assert asked == ["guilds=True, guild_messages=True, message_content=True"]
    table = dict(re.findall(r"^\| ([A-Z][\w ]+) \| (yes|no) \|", INTENTS, re.M))
    assert table == {"Message Content": "yes", "Server Members": "no", "Presence": "no"}


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose isn't installed")
def test_docker_compose_takes_the_file(tmp_path: Path) -> None:
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    done = subprocess.run(["docker-compose", "config", "--quiet"], cwd=tmp_path)
    assert done.returncode == 0
