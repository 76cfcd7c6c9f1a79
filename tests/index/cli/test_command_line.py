"""`python -m index` as a person uses it: real folders, a real model, real signals."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

import magpie
from index.cli.main import main
from index.cli.walk import walk
from tests.index import hub
from tests.index.cli.folders import ROOT, patches, stored

PICTURES = 500  # more than an `add` commits at once, with those that it embeds meanwhile

# ---- add


def test_folder_is_added_and_found(
    add: Callable[..., int], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert "5 added" in said
    assert "g.db holds 5 pictures." in said
    picture = photos / "album 0" / "astronaut.png"
    assert main(["find", "--db", "g.db", "--image", str(picture), "-k", "2", "--guesses"]) == 0
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("1  1.000  photos/album 0/astronaut.png")
    assert second.startswith("2  ")


def test_second_run_skips_what_is_there_and_follows_changes(
    add: Callable[..., int],
    photos: Path,
    photographs: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    add("photos")
    assert add("photos") == 0
    assert "5 unchanged;" in capsys.readouterr().out
    (photos / "album 0" / "astronaut.png").unlink()
    (photos / "album 1" / "chelsea.png").write_bytes(photographs["coffee.png"][:-1] + b"\x82")
    os.utime(photos / "album 1" / "chelsea.png", (1, 1))
    (photos / "album 2" / "list.txt").touch()  # an emptied folder may be a drive's, see below
    (photos / "album 2" / "coffee.png").rename(photos / "moved.png")
    (photos / "album 0" / "rocket.jpg").write_bytes(b"no longer a picture")
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert "1 added, 1 changed, 1 unchanged, 2 vanished, 1 couldn't be read;" in said
    assert "photos/album 0/rocket.jpg: This is text" in said
    names = {Path(source).name for source in stored()}
    assert names == {"chelsea.png", "moved.png", "retina.jpg"}


def test_each_broken_picture_is_one_line(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = patches(tmp_path / "photos", 100)
    whole = [file for i, file in enumerate(files) if i % 10 != 3]
    for i, file in enumerate(set(files) - set(whole)):
        file.write_bytes(file.read_bytes()[: 40 + i] if i % 2 else b"<svg/>" * i)
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert "90 added, 10 couldn't be read;" in said
    lines = [line for line in said.splitlines() if line.startswith("  photos/")]
    assert len(lines) == 10
    assert all("damaged" in line or "an SVG drawing" in line for line in lines)
    assert stored() == [str(file) for file in whole]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_file_name_that_is_not_utf8_is_a_line_of_the_summary(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patches(tmp_path / "photos", 2)[0].rename(os.fsdecode(b"photos/caf\xe9.png"))
    assert add("photos") == 0
    assert r"photos/caf\xe9.png: Its name is not valid UTF-8" in capsys.readouterr().out
    assert len(stored()) == 1


def test_folder_that_is_suddenly_empty_keeps_its_pictures(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in patches(tmp_path / "drive", 4):
        assert file.exists()
    add("drive")
    for file in (tmp_path / "drive").iterdir():
        file.unlink()
    assert add("drive") == 0
    assert "in case a drive isn't connected" in capsys.readouterr().out
    assert len(stored()) == 4


def test_lines_of_a_text_are_entries(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "songs.txt").write_text("a red house\n\n  blue  moon \na red house\n")
    assert add("--text", "songs.txt") == 0
    assert main(["find", "--db", "g.db", "blue moon", "-k", "3", "--guesses"]) == 0
    assert "1  1.000  songs.txt:3: blue moon" in capsys.readouterr().out
    (tmp_path / "songs.txt").write_text("blue moon\n")
    assert add("--text", "songs.txt") == 0
    assert stored("SELECT text FROM items") == ["blue moon"]
    capsys.readouterr()
    main(["find", "--db", "g.db", "red", "--json", "--guesses"])
    (hit,) = json.loads(capsys.readouterr().out)["hits"]
    assert (hit["kind"], hit["line"], hit["text"]) == ("text", 1, "blue moon")


def test_walk_gives_each_picture_once_in_order(photos: Path) -> None:
    (photos / "loop").symlink_to(photos)
    (photos / "gone.jpg").symlink_to(photos / "nowhere.jpg")
    files = list(
        walk([str(photos), str(photos / "album 0"), str(photos / "notes.txt")]).files.values()
    )
    assert [file.path.name for file in files[:2]] == ["astronaut.png", "rocket.jpg"]
    assert len({file.path for file in files}) == len(files) == 6


# ---- interruptions


@contextlib.contextmanager
def adding(
    tiny_clip: Path, folder: str, number: signal.Signals, *, committed: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """An `add` that gets this signal right after its first commit, or right before it.

    It sends the signal to itself, because another process may be too late on a busy machine. On a
    busy disk, all pictures may be embedded before the first commit ends.
    """
    code = f"""
import os, sys
from index import Gallery
from index.cli.main import main
commit = Gallery.commit
async def commit_once(gallery, batch):
    Gallery.commit = commit
    if {committed}:
        await commit(gallery, batch)
    os.kill(os.getpid(), {int(number)})
    if not {committed}:
        await commit(gallery, batch)
Gallery.commit = commit_once
sys.exit(main(["add", {folder!r}, "--db", "g.db", "--model", {str(tiny_clip)!r}]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        yield process
        process.kill()


@pytest.mark.slow
def test_add_after_a_kill_misses_nothing_and_doubles_nothing(
    add: Callable[..., int], tiny_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = patches(tmp_path / "photos", PICTURES)
    with adding(tiny_clip, "photos", signal.SIGKILL) as process:
        process.wait()
    before = len(stored())
    assert 0 < before < len(files)
    assert add("photos") == 0
    assert stored() == [str(file) for file in files]
    assert len(stored("SELECT item FROM embeddings")) == len(files)
    assert f"{len(files) - before:,} added, {before:,} unchanged;" in capsys.readouterr().out


@pytest.mark.slow
def test_interrupted_add_finishes_its_batch_and_says_how_to_continue(
    add: Callable[..., int], tiny_clip: Path, tmp_path: Path
) -> None:
    files = patches(tmp_path / "photos", PICTURES)
    with adding(tiny_clip, "photos", signal.SIGINT, committed=False) as process:
        out, err = process.communicate()
    assert process.returncode == 130
    assert "stopping: finishing the pictures that were begun" in err
    kept = len(stored())
    assert f"Stopped with {kept:,} of {PICTURES:,} done; run the same command again" in out
    assert "Traceback" not in err
    assert add("photos") == 0
    assert stored() == [str(file) for file in files]


def test_first_download_can_be_interrupted(tiny_clip: Path, tmp_path: Path) -> None:
    released = threading.Event()
    with hub.serving("birds/slow", tiny_clip, stalled=released) as (address, downloaded):
        (tmp_path / "bird.png").write_bytes(b"not looked at yet")
        command = [sys.executable, "-m", "index", "add", str(tmp_path), "--model", "birds/slow"]
        settings = {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "hf"),
            "PYTHONPATH": str(ROOT),
        }
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | settings
        ) as process:
            while not downloaded:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        released.set()
    assert process.returncode == 130
    assert err.endswith(b"Interrupted.\n")
    assert not (tmp_path / "data").exists()  # no empty gallery is left behind


@pytest.mark.slow
def test_during_an_add_another_is_refused_and_find_is_allowed(
    add: Callable[..., int],
    tiny_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    patches(tmp_path / "photos", PICTURES)
    with adding(tiny_clip, "photos", signal.SIGSTOP) as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert add("photos") == 2
        assert f"is being written by process {process.pid}" in capsys.readouterr().err
        assert main(["find", "--db", "g.db", "a dog", "--guesses"]) == 0
        process.send_signal(signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_full_disk_is_one_sentence_and_keeps_what_was_committed(
    add: Callable[..., int], tiny_clip: Path, tmp_path: Path, photos: Path
) -> None:
    add("photos")
    patches(tmp_path / "many", 100)
    code = f"""
import resource, sys
from index.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))
sys.exit(main(["add", "many", "--db", "g.db", "--model", {str(tiny_clip)!r}]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert "There is no room left to write" in done.stderr
    assert done.stderr.count("\n") == 1
    assert len([source for source in stored() if "/photos/" in source]) == 5
    assert add("many") == 0
    assert len(stored()) == 105


# ---- find, info, look


def test_answer_for_programs(
    add: Callable[..., int], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("photos")
    capsys.readouterr()
    assert main(["find", "--db", "g.db", "a", "rocket", "-k", "3", "--json", "--guesses"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["query"] == "a rocket"
    assert isinstance(answer["confident"], bool)
    assert answer["took_ms"] > 0
    assert answer["searched"] == 5
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
    assert all(Path(hit["path"]).is_file() and -1 <= hit["score"] <= 1 for hit in answer["hits"])


def test_sheet_shows_the_hits(
    add: Callable[..., int], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("photos")
    (photos / "album 0" / "astronaut.png").unlink()  # its card says that it can't be read any more
    assert main(["find", "--db", "g.db", "Gänseblümchen", "--sheet", "sheet.png", "--guesses"]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 700
        assert sheet.convert("RGB").getcolors(1_000_000) is not None
    assert main(["find", "--db", "g.db", "a", "--sheet", "nowhere/sheet.png"]) == 2
    assert "nowhere/sheet.png can't be written" in capsys.readouterr().err


def test_info_says_what_is_there(
    add: Callable[..., int], photos: Path, tiny_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("photos")
    capsys.readouterr()
    assert main(["info", "--db", "g.db", "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["images"], info["texts"], info["dimension"]) == (5, 0, 24)
    assert info["model"] == str(tiny_clip)
    assert sum(info["folders"].values()) == 5
    assert main(["info", "--db", "g.db"]) == 0
    assert "photos/album 0" in capsys.readouterr().out


def test_look_explains_why_a_picture_is_not_found(
    add: Callable[..., int], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("photos")
    capsys.readouterr()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = Image.open(photos / "album 0" / "rocket.jpg")
    photo.save(tmp_path / "turned.jpg", exif=exif)
    command = ["look", "turned.jpg", "--db", "g.db", "--out", "look.png", "--for", "a rocket"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "JPEG, 427 × 640 pixels" in said
    assert "on its side" in said
    assert "32 × 32 pixels, the middle 67%" in said
    assert "these bytes are not in it" in said
    assert "of 5" in said
    with Image.open(tmp_path / "look.png") as drawn:
        assert drawn.width > 600
    assert main(["look", str(photos / "album 0" / "rocket.jpg"), "--db", "g.db"]) == 0
    assert "in it as " in capsys.readouterr().out


def test_look_at_a_file_that_is_not_a_picture(
    tiny_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.png").write_text("<!doctype html><html></html>")
    assert main(["look", "page.png", "--model", str(tiny_clip)]) == 2
    assert "This is a web page" in capsys.readouterr().out


def test_look_needs_no_gallery(
    tiny_clip: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = str(photos / "album 0" / "rocket.jpg")
    assert main(["look", picture, "--model", str(tiny_clip)]) == 0
    assert "there is none yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add"], "Nothing to add"),
        (["add", "nowhere"], "nowhere isn't there"),
        (["add", "--text", "."], "is a folder"),
        (["find"], "What are you looking for?"),
        (["find", "a dog"], "There is no gallery at"),
        (["info"], "There is no gallery at"),
        (["find", "--image", "nowhere.png"], "nowhere.png can't be read"),
        (["look", "nowhere.png"], "nowhere.png can't be read"),
        (["add", ".", "--model", "./no-model"], "There is no model './no-model'"),
        (["find", "a dog", "--sheet", "x.gif"], "Name a .png, .jpg or .webp file."),
        (["find", "a dog", "--sheet", "x"], "it has no ending"),
        (["find", "a dog", "--sheet", "no/x.png"], "there is no folder no."),
        (["look", "x.jpg", "--out", "x.txt"], "the ending .txt is not known"),
        (["find", "a dog", "-0"], "write --paths -0"),
        (["find", "a dog", "--db", ""], "--db needs the name of a file"),
        (["remove", "x.jpg"], "There is no gallery at"),
        (["backup", "copy.db"], "There is no gallery at"),
        (["restore", "a.png/copy.db"], "there is no such file"),
    ],
)
def test_wrong_use_is_one_helpful_sentence(
    arguments: Sequence[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"not looked at")
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize("prog", ["magpie", "python -m index"])
def test_help_and_examples_name_the_command_that_was_called(
    prog: str, add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def called(*arguments: str) -> int:
        return magpie.main(arguments) if prog == "magpie" else main(arguments)

    assert called("find", "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: {prog} find ")
    (tmp_path / "empty.txt").touch()
    add("--text", "empty.txt")
    capsys.readouterr()
    for arguments, example in (
        (["find"], f"\n  {prog} find dog in snow\n"),
        (["info", "--db", "my own.db"], f"\n  {prog} add ~/Pictures --db 'my own.db'\n"),
        (["find", "a dog", "--db", "g.db"], f"\n  {prog} add ~/Pictures --db g.db\n"),
    ):
        assert called(*arguments) == 2
        assert capsys.readouterr().err.endswith(example)


def test_folder_without_pictures_makes_no_gallery(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert add("empty") == 0
    assert capsys.readouterr().out == "No pictures were found there.\n"
    assert not (tmp_path / "g.db").exists()
    assert main(["find", "--db", "g.db", "a dog"]) == 2
    assert "There is no gallery at g.db yet" in capsys.readouterr().err


def test_another_model_is_refused(
    add: Callable[..., int],
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tests.index import checkpoints

    add("photos")
    other = checkpoints.tiny_clip(tmp_path / "other", seed=1)
    assert main(["add", "photos", "--db", "g.db", "--model", str(other)]) == 2
    assert "can't be mixed" in capsys.readouterr().err


def test_gallery_in_this_folder_is_used_else_the_users_own(
    tiny_clip: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "photos", "--model", str(tiny_clip)]) == 0
    home = tmp_path / "data" / "magpie" / "photos.db"
    assert home.is_file()
    home.rename(tmp_path / "magpie.db")
    assert main(["find", "a dog", "--guesses"]) == 0


def test_question_in_words_loads_nothing_for_pictures(
    add: Callable[..., int], photos: Path
) -> None:
    add("photos")
    code = (
        "import sys; from index.cli.main import main; main(['find', 'a dog', '--db', 'g.db']);"
        "unused = {'discord', 'rich', 'index.cli.folder', 'index.cli.sheet', 'index.cli.view'};"
        "unused |= {'torch', 'transformers'};"
        "print(unused & set(sys.modules), file=sys.stderr)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr.strip() == "set()"


def test_adding_nothing_new_loads_no_model(add: Callable[..., int], photos: Path) -> None:
    add("photos")
    code = (
        "import sys; from index.cli.main import main; main(['add', 'photos', '--db', 'g.db']);"
        "print({'torch', 'transformers', 'numba'} & set(sys.modules), file=sys.stderr)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert "unchanged" in done.stdout
    assert done.stderr.strip() == "set()"


def test_no_escape_codes_reach_a_file() -> None:
    from rich.console import Console

    from index.cli import progress
    from index.cli.folder import Tally

    file = io.StringIO()
    with progress.reporting(Console(file=file)) as report:
        report(Tally(total=10, added=3))
    assert "\x1b" not in file.getvalue()


def test_picture_that_cannot_be_written_is_one_sentence(
    add: Callable[..., int], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("photos")
    picture = str(photos / "album 0" / "rocket.jpg")
    commands = (["look", picture, "--out"], ["find", "a dog", "--sheet"], ["backup"])
    for arguments in commands:
        capsys.readouterr()
        assert main([*arguments, "nowhere/sheet.png", "--db", "g.db"]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""  # it is refused before any work
        assert printed.err == "nowhere/sheet.png can't be written: there is no folder nowhere.\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_no_sentence_has_the_number_of_an_error(
    add: Callable[..., int], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add("photos")
    Path("full.png").symlink_to("/dev/full")
    Path("loop").symlink_to("loop")
    long = "n" * 300
    commands = (
        ["find", "a dog", "--guesses", "--sheet", "full.png"],
        ["find", "--image", long],
        ["find", "--image", "photos"],
        ["look", "loop"],
        ["look", "photos"],
        ["backup", f"{long}.db"],
        ["restore", "loop"],
        ["restore", "photos"],
        ["add", long],
        ["add", "photos", "--db", f"photos/notes.txt/{long}"],
        ["add", "photos", "--db", "/proc/g.db"],
        ["remove", "photos", "--db", "loop"],
    )
    capsys.readouterr()
    for arguments in commands:
        assert main([*arguments, *([] if "--db" in arguments else ["--db", "g.db"])]) == 2
        printed = capsys.readouterr()
        said = printed.err or printed.out
        assert said.endswith(".\n")
        assert "Errno" not in said
        assert "None" not in said
        assert printed.err.count("\n") <= 1
