"""What is printed: harmless to a terminal, in any encoding, also where nothing takes it."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from console import output
from console.output import counted, harmless
from index.cli.main import main
from tests.index.cli.folders import ROOT, child, patches

Add = Callable[..., int]
Capture = pytest.CaptureFixture[str]
EVIL = "a\x1b]0;HELLO\x07\x1b[2J\r\n\x9b31m\u202egnp"
SHOWN = r"a\x1b]0;HELLO\x07\x1b[2J\r\n\x9b31m\u202egnp"


# ---- control characters


def test_every_control_character_is_shown_as_an_escape() -> None:
    """Against Unicode's own tables: categories, and the classes of direction."""
    directing = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    marks = {"\u200e", "\u200f", "\u061c"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        unsafe = (
            unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
            or unicodedata.bidirectional(character) in directing
            or character in marks
        )
        shown = harmless(character)
        assert (shown != character) == unsafe, hex(code)
        assert shown.isascii() or not unsafe
    assert harmless("dog – 犬 👨‍👩‍👧 [bold]\\n") == "dog – 犬 👨‍👩‍👧 [bold]\\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
def test_no_name_reaches_the_terminal_as_it_is(add: Add, tmp_path: Path, capsys: Capture) -> None:
    good, broken = patches(tmp_path / "photos", 2)
    good = good.rename(tmp_path / "photos" / f"{EVIL}.png")
    broken.write_text("no picture")
    broken.rename(tmp_path / "photos" / f"broken {EVIL}.png")
    (tmp_path / f"{EVIL}.txt").write_text(f"a song {EVIL}\n")
    folder = tmp_path / f"folder {EVIL}"
    add("photos", "--text", f"{EVIL}.txt")
    (folder).mkdir()
    for arguments in (
        ["find", "a dog", "--guesses"],
        ["find", "a dog", "--json", "--guesses"],
        ["find", "a song", "--kind", "text"],
        ["info"],
        ["look", str(good)],
        ["look", str(good), "--for", EVIL],
        ["remove", EVIL],
        ["add", EVIL],
        ["add", "photos", "--again"],
        ["find", "--image", EVIL],
        ["find", "a dog", "--sheet", EVIL],
        ["find", "a dog", "--sheet", f"{EVIL}/x.png"],
        ["find", "a dog", "--kind", EVIL],
        ["find", "a dog", f"--{EVIL}"],
        ["find", "a dog", "-k", EVIL],
        ["info", "--db", EVIL],
        ["info", "--db", str(folder)],
        ["backup", f"{EVIL}/g.db"],
        ["restore", f"{EVIL}/g.db"],
        ["find", "a dog", "--device", EVIL],
        ["add", "photos", "--again", "--model", EVIL],
    ):
        with contextlib.suppress(SystemExit):
            main([*arguments, *([] if "--db" in arguments else ["--db", "g.db"])])
        printed = capsys.readouterr()
        for text in (printed.out, printed.err):
            assert not set(text) & set("\x1b\x07\r\x9b\u202e"), arguments
            assert all(harmless(line) == line for line in text.split("\n")), arguments
    main(["find", "a dog", "--db", "g.db", "--guesses"])
    assert f"photos/{SHOWN}.png" in capsys.readouterr().out
    main(["find", "a dog", "--json", "--db", "g.db", "--guesses"])
    (hit,) = json.loads(capsys.readouterr().out)["hits"]
    assert hit["path"] == str(good)


def test_commands_print_by_one_module_only() -> None:
    """Everything else would let names through as they are."""
    for file in (ROOT / "index" / "cli").rglob("*.py"):
        calls = (
            node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
        )
        printing = [
            call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"
        ]
        assert not printing or file.name == "output.py", file


# ---- encodings


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_every_encoding_takes_every_name(
    add: Add, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    (file,) = patches(tmp_path / "photos", 1)
    file = file.rename(tmp_path / "photos" / "犬 – é.png")
    add("photos")

    def printed(*arguments: str) -> str:
        """What a process prints whose output has this encoding."""
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stream)
            assert main([*arguments, "--db", "g.db"]) == 0
        stream.flush()
        return written.getvalue().decode(encoding)

    name = {"ascii": r"\u72ac - \xe9.png", "cp1252": r"\u72ac – é.png"}.get(encoding, file.name)
    assert f"photos/{name}\n" in printed("find", "犬", "--guesses")
    assert f"in it as photos/{name}\n" in printed("look", str(file), "--for", "犬")
    printed("info")
    printed("add", "photos", "--again")
    answer = json.loads(printed("find", "犬", "--json", "--guesses"))
    assert (answer["query"], answer["hits"][0]["path"]) == ("犬", str(file))


def test_own_sentences_are_plain_where_an_encoding_lacks_their_characters() -> None:
    output.prepare()
    sentence = "for “dog” it’s 90 × 60 · 犬 – …"
    assert sentence.encode("ascii", "plain") == rb"""for "dog" it's 90 x 60 - \u72ac - ..."""


def test_encoding_is_looked_up_in_a_real_process(add: Add, tmp_path: Path) -> None:
    (file,) = patches(tmp_path / "photos", 1)
    file.rename(tmp_path / "photos" / "犬.png")
    add("photos")
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = child("find", "dog", "--db", "g.db", "--guesses", env=ascii_only)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"photos/\\u72ac.png\n")


def test_help_is_printed_in_ascii(tmp_path: Path) -> None:
    code = "import magpie; magpie.main([])"
    done = child(code=code, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\n  remove " in done.stdout


# ---- output that is full, closed or not read


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_output_on_a_full_disk_is_one_sentence(add: Add, tmp_path: Path) -> None:
    patches(tmp_path / "photos", 1)
    add("photos")
    for arguments in (
        ["find", "a dog", "--db", "g.db", "--guesses"],
        ["find", "a dog", "--db", "g.db", "--paths", "-0", "--guesses"],
        ["--help"],
    ):
        with open("/dev/full", "wb") as full:
            done = child(*arguments, stdout=full.fileno())
        assert done.stderr.endswith(b"The output can't be written: the disk is full.\n")
        assert b"Traceback" not in done.stderr
        assert done.returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's way to close a stream")
def test_streams_that_are_closed_or_full_change_nothing_else(add: Add, tmp_path: Path) -> None:
    patches(tmp_path / "photos", 1)
    add("photos")
    start = f"exec {sys.executable} -m index"
    for command, code in (
        ("info --db g.db >&-", 0),
        ("info --db none.db 2>&-", 2),
        ("info --db none.db 2>/dev/full", 2),
        ("info --db none.db >&- 2>&-", 2),
    ):
        done = subprocess.run(
            ["sh", "-c", f"{start} {command}"],
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == code, command


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_reader_that_leaves_ends_an_answer_and_not_an_add(
    add: Add, tiny_clip: Path, tmp_path: Path
) -> None:
    patches(tmp_path / "photos", 3)
    add("photos")
    patches(tmp_path / "more", 3, seed=1)
    for arguments in (
        ["find", "a dog", "--db", "g.db", "--guesses"],
        ["add", "more", "--db", "g.db"],
    ):
        reading, writing = os.pipe()
        os.close(reading)
        done = child(*arguments, stdout=writing)
        os.close(writing)
        assert done.stderr == b""
        assert done.returncode == 0
    done = child("info", "--db", "g.db")
    assert b"pictures  6\n" in done.stdout


# ---- no home, no folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows homes otherwise")
def test_account_without_a_home_is_told_to_name_a_file(tmp_path: Path) -> None:
    code = """
import os, shutil, sys
from index.cli import hits, notes
from index.cli.main import main
os.setuid(54321)
sys.exit(main(["find", "a dog"]))
"""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody without a home")
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_DATA_HOME")}
    done = child(code=code, env=kept)
    assert done.stderr == (
        b"This account has no home folder to keep a gallery in; name a file with --db FILE.\n"
    )
    assert done.returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no folder in use")
def test_current_folder_that_was_removed_is_one_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    for arguments in (["add", "."], ["find", "dog"], ["info", "--db", "g.db"]):
        command = f"rmdir {gone}; exec {sys.executable} -m index {' '.join(arguments)}"
        gone.mkdir(exist_ok=True)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=gone,
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert done.stderr == b"The folder that you are in was removed; go to another one.\n"
        assert done.returncode == 2


def test_nouns_are_counted() -> None:
    assert [counted(n, "text") for n in (0, 1, 2, 2000)] == [
        "0 texts",
        "1 text",
        "2 texts",
        "2,000 texts",
    ]
