"""The command line on a gallery in a database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pocket import MODEL
from tests.index.colours import png

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def magpie(*arguments: str) -> tuple[int, str]:
    """The exit code and all that is said."""
    done = subprocess.run(
        [sys.executable, "magpie.py", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
async def test_pictures_are_added_to_a_database_and_found(
    bare_postgres_url: str, tmp_path: Path
) -> None:
    (tmp_path / "red.png").write_bytes(png("red"))
    said = []
    for words in (
        ["add", str(tmp_path), "--model", str(MODEL)], ["info"], ["find", "red"],
    ):  # fmt: skip
        code, text = magpie(*words, "--db", bare_postgres_url)
        assert code == 0, text
        said.append(text)
    assert "holds 1 picture" in said[0]
    assert "pictures  1" in said[1]
    assert "red.png" in said[2]
    assert str(urlsplit(bare_postgres_url).password) not in "".join(said)


@pytest.mark.parametrize(
    ("command", "program"),
    [("backup", "pg_dump"), ("restore", "pg_restore"), ("serve", "pg_dump")],
)
def test_what_is_for_files_names_the_program_for_a_database(
    command: str, program: str, tmp_path: Path
) -> None:
    code, said = magpie(command, str(tmp_path), "--db", "postgresql://ada:secret@db/magpie")
    assert code == 2
    assert program in said
    assert "secret" not in said
