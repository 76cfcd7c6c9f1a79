"""`add` with folders that can't be seen, odd entries, and files that failed before."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.cli.main import main
from tests.index.cli.folders import ROOT, as_user, child, patches, stored

Add = Callable[..., int]
Capture = pytest.CaptureFixture[str]


# ---- what can't be seen


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_folder_that_may_not_be_listed_keeps_its_pictures(
    add: Add, tiny_clip: Path, tmp_path: Path
) -> None:
    user = as_user()
    patches(tmp_path / "photos", 2)
    patches(tmp_path / "photos" / "nas", 3, seed=1)
    patches(tmp_path / "photos" / "shown", 2, seed=2)
    add("photos")
    gone, *_ = (tmp_path / "photos").glob("*.png")
    gone.unlink()
    (tmp_path / "photos" / "nas").chmod(0o000)
    (tmp_path / "photos" / "shown").chmod(0o444)  # may be listed, and not entered
    done = child("add", "photos", "--db", "g.db", before=user)
    (tmp_path / "photos" / "nas").chmod(0o755)
    (tmp_path / "photos" / "shown").chmod(0o755)
    said = done.stdout.decode()
    assert (
        "photos/nas can't be listed: permission denied; the gallery keeps its 3 pictures." in said
    )
    assert "photos/shown/0000.png: It can't be read (permission denied)." in said
    assert "1 unchanged, 1 vanished, 2 couldn't be read;" in said
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(stored()) == 6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_named_folder_that_may_not_be_listed_is_an_error(
    add: Add, tiny_clip: Path, tmp_path: Path
) -> None:
    user = as_user()
    patches(tmp_path / "photos", 2)
    add("photos")
    (tmp_path / "photos").chmod(0o000)
    done = child("add", "photos", "--db", "g.db", before=user)
    (tmp_path / "photos").chmod(0o755)
    assert b"photos can't be listed: permission denied" in done.stdout
    assert (done.returncode, done.stderr) == (2, b"")
    assert len(stored()) == 2


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("unshare"), reason="mounts need Linux")
def test_real_drive_that_is_away_keeps_its_pictures(tiny_clip: Path, tmp_path: Path) -> None:
    """A drive is mounted, added and unmounted, with a file in the folder below it."""
    patches(tmp_path / "photos", 2)
    patches(tmp_path / "stick", 3, seed=1)
    (tmp_path / "photos" / "usb").mkdir()
    (tmp_path / "photos" / "usb" / "not mounted.txt").touch()
    add = f"main(['add', 'photos', '--db', 'g.db', '--model', {str(tiny_clip)!r}])"
    code = f"""
import shutil, subprocess
from index.cli.main import main
if subprocess.run(["mount", "-t", "tmpfs", "none", "photos/usb"]).returncode:
    raise SystemExit(77)
shutil.copytree("stick", "photos/usb", dirs_exist_ok=True)
{add}
subprocess.run(["umount", "photos/usb"], check=True)
print("away", flush=True)
{add}
main(["find", "a dog", "--db", "g.db", "--guesses"])
"""
    done = child(code=code, before=["unshare", "-m"])
    if done.returncode in (1, 77) and b"Traceback" not in done.stderr:
        pytest.skip("this system lets nobody mount")
    said = done.stdout.decode().partition("away\n")[2]
    assert "The drive at photos/usb isn't connected now; the gallery keeps its 3 pictures." in said
    assert "  python -m index remove photos/usb --db g.db\n" in said
    assert said.count("(can't be read now; is its drive connected?)") == 3
    assert len(stored()) == 5


def test_emptied_folder_keeps_its_pictures_and_says_how_to_forget_them(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    files = patches(tmp_path / "photos" / "nas", 2)
    patches(tmp_path / "photos" / "here", 1, seed=1)
    add("photos")
    for file in files:
        file.unlink()
    capsys.readouterr()
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert "photos/nas is empty now; the gallery keeps its 2 pictures" in said
    assert len(stored()) == 3
    *_, command, _, _ = said.splitlines()
    assert command == "  python -m index remove photos/nas --db g.db"
    assert main(command.split()[3:]) == 0
    assert len(stored()) == 1


def test_folder_that_vanished_whole_is_followed(add: Add, tmp_path: Path, capsys: Capture) -> None:
    patches(tmp_path / "photos", 1)
    patches(tmp_path / "photos" / "album", 2, seed=1)
    add("photos")
    shutil.rmtree(tmp_path / "photos" / "album")
    # Named twice over, what vanished counts once.
    assert add("photos", str(tmp_path)) == 0
    assert "1 unchanged, 2 vanished;" in capsys.readouterr().out
    assert len(stored()) == 1


# ---- odd entries


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_odd_entries_are_named_and_the_rest_is_added(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    patches(tmp_path / "photos", 2)
    (tmp_path / "photos" / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(tmp_path / "photos" / "pipe.jpg")
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert "photos/loop.jpg: It can't be read (it is a link that leads back to itself)." in said
    assert "photos/pipe.jpg: It is a named pipe, not a file." in said
    assert "2 added, 2 couldn't be read;" in said
    capsys.readouterr()
    assert add("photos/pipe.jpg") == 2
    assert add("photos/loop.jpg") == 2
    assert add("--text", "photos/pipe.jpg") == 2
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="a file of Linux's own")
def test_drive_that_fails_while_a_file_is_read_keeps_the_picture(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    (file,) = patches(tmp_path / "photos", 1)
    add("photos")
    file.unlink()
    file.symlink_to("/proc/self/mem")  # a file whose first byte can't be read: EIO
    assert add("photos") == 2
    assert "It can't be read (the drive reports an error)." in capsys.readouterr().out
    assert stored() == [str(file)]


def test_file_that_vanishes_before_its_turn_fails_nothing(
    add: Add, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.cli import contents, folder

    files = patches(tmp_path / "photos", 3)
    read = contents.read_file

    def read_late(path: Path) -> bytes:
        files[1].unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr(folder, "CONCURRENCY", 1)
    monkeypatch.setattr(contents, "read_file", read_late)
    assert add("photos") == 0
    assert "2 added, 1 gone before they were read;" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_second_signal_ends_an_add_whose_drive_never_answers(
    tiny_clip: Path, tmp_path: Path
) -> None:
    patches(tmp_path / "photos", 2)
    code = f"""
import os, signal, sys, threading
from index.cli import contents, folder
from index.cli.main import main
def never(path):
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()
folder.CONCURRENCY, contents.read_file = 1, never
sys.exit(main(["add", "photos", "--db", "g.db", "--model", {str(tiny_clip)!r}]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stderr is not None
        while "stopping" not in (line := process.stderr.readline()):
            assert line, "the first signal said nothing"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=60) == 130
        finally:
            process.kill()


# ---- the model is loaded only when it is needed


def test_add_that_has_nothing_to_do_needs_no_model(
    tiny_clip: Path, tmp_path: Path, capsys: Capture
) -> None:
    model = shutil.copytree(tiny_clip, tmp_path / "model")
    files = patches(tmp_path / "photos", 2)
    (tmp_path / "photos" / "broken.png").write_text("no picture")
    (tmp_path / "songs.txt").write_text("a song\n")
    everything = ["add", "photos", "--text", "songs.txt", "--db", "g.db"]
    assert main([*everything, "--model", str(model)]) == 0
    shutil.rmtree(model)
    files[0].unlink()
    capsys.readouterr()
    assert main(everything) == 0
    said = capsys.readouterr().out
    assert "loading" not in said
    assert "2 unchanged, 1 vanished, 1 couldn't be read before" in said
    assert main(["remove", "photos", "--db", "g.db"]) == 0
    assert main([*everything, "--again"]) == 2  # the model is needed, and is gone


@pytest.mark.parametrize("damage", ["missing", "without its weights"])
def test_failed_first_start_leaves_no_gallery(
    damage: str, tiny_clip: Path, tmp_path: Path, capsys: Capture
) -> None:
    patches(tmp_path / "photos", 1)
    if damage != "missing":
        shutil.copytree(tiny_clip, tmp_path / "model")
        (tmp_path / "model" / "model.safetensors").unlink()
    assert main(["add", "photos", "--db", "data/g.db", "--model", "./model"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "data").exists()


# ---- files that failed before


def test_file_that_failed_is_read_again_only_when_it_changed_or_is_asked_for(
    add: Add, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.cli import contents

    (good,) = patches(tmp_path / "photos", 1)
    broken = tmp_path / "photos" / "broken.png"
    broken.write_text("no picture")
    read: list[str] = []
    read_file = contents.read_file

    def noted(path: Path) -> bytes:
        read.append(path.name)
        return read_file(path)

    monkeypatch.setattr(contents, "read_file", noted)
    add("photos")
    assert sorted(read) == ["0000.png", "broken.png"]
    capsys.readouterr()
    for arguments, names in (
        (["photos"], []),
        (["photos", "--again"], ["broken.png"]),
        (["photos", "photos/broken.png"], ["broken.png"]),
    ):
        read.clear()
        add(*arguments)
        assert read == names
    capsys.readouterr()
    main(["info", "--db", "g.db", "--json"])
    assert json.loads(capsys.readouterr().out)["unreadable"] == 1
    broken.write_bytes(good.read_bytes())
    assert add("photos") == 0
    assert "1 added, 1 unchanged;" in capsys.readouterr().out
    broken.write_text("no picture again")
    add("photos")
    broken.unlink()
    add("photos")
    capsys.readouterr()
    main(["info", "--db", "g.db", "--json"])
    assert json.loads(capsys.readouterr().out)["unreadable"] == 0


# ---- exit codes, patterns, words


def test_exit_code_tells_that_nothing_could_be_read_of_what_was_named(
    add: Add, tmp_path: Path
) -> None:
    good, *_ = patches(tmp_path / "photos", 2)
    patches(tmp_path / "fine", 1, seed=1)
    for name in ("photos/x.png", "broken/x.png", "broken/y.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no picture")
    assert add("photos") == 0  # most of it could be read
    assert add("photos/x.png") == 2
    assert add("fine", "photos/x.png") == 2
    assert add("broken") == 2
    assert add("broken") == 2  # also when it is not tried again
    assert add("fine", str(good)) == 0
    assert len(stored()) == 3


def test_excluded_pictures_are_passed_over_and_those_in_the_gallery_stay(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    patches(tmp_path / "photos" / "thumbs", 2)
    patches(tmp_path / "photos" / "album", 2, seed=1)
    assert add("photos", "--exclude", "thumbs/", "--exclude", "0001.*") == 0
    assert stored() == [str(tmp_path / "photos" / "album" / "0000.png")]
    assert add("photos") == 0
    shutil.rmtree(tmp_path / "photos" / "thumbs")
    (tmp_path / "photos" / "thumbs").mkdir()
    assert add("photos", "--exclude", "thumbs/") == 0
    assert len(stored()) == 4


def test_pattern_that_would_bring_something_back_is_refused(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    patches(tmp_path / "photos", 1)
    (tmp_path / "photos" / "0000.png").rename(tmp_path / "photos" / "!x.png")
    assert add("photos", "--exclude", "!x*") == 2
    said = capsys.readouterr().err
    assert "none can begin with “!”" in said
    assert said.endswith("write \\!x*.\n")
    assert not (tmp_path / "g.db").exists()
    assert add("photos", "--exclude", "\\!x*") == 0
    assert not (tmp_path / "g.db").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_to_folders_are_named(add: Add, tmp_path: Path, capsys: Capture) -> None:
    patches(tmp_path / "elsewhere" / "deep", 2)
    patches(tmp_path / "photos", 1)
    (tmp_path / "photos" / "my link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "other.jpg").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "thumbs").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "loop").symlink_to("loop")
    assert add("photos", "--exclude", "thumbs") == 0
    said = capsys.readouterr().out
    assert (
        "photos/my link is a link to a folder, which is not followed (and 1 more link). "
        "To add it, too:\n  python -m index add 'photos/my link' --db g.db\n"
    ) in said
    assert "thumbs" not in said
    assert add("photos/my link") == 0
    assert len(stored()) == 3
    assert add("photos") == 0  # what was added through the link stays
    assert len(stored()) == 3


def test_one_of_a_kind_is_named_in_the_singular(add: Add, tmp_path: Path, capsys: Capture) -> None:
    patches(tmp_path / "photos", 1)
    (tmp_path / "songs.txt").write_text("a song\n")
    add("photos", "--text", "songs.txt")
    assert capsys.readouterr().out.endswith("g.db holds 1 picture and 1 text.\n")


def test_text_that_may_not_be_read_is_named(add: Add, tmp_path: Path, capsys: Capture) -> None:
    patches(tmp_path / "photos", 1)
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    assert add("photos", "--text", "loop.txt") == 2
    said = capsys.readouterr().out
    assert "loop.txt: It can't be read (it is a link that leads back to itself)." in said
    assert len(stored()) == 1


# ---- what an earlier Magpie made less of


def test_an_add_makes_the_fingerprints_that_files_lack_without_the_model(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    patches(tmp_path / "photos", 3)
    add("photos")
    with sqlite3.connect("g.db") as db:
        assert db.execute("SELECT count(*) FROM hashes").fetchall() == [(3,)]
        db.execute("DELETE FROM derived_fingerprint")
        assert db.execute("SELECT count(*) FROM hashes").fetchall() == [(0,)]
    db.close()
    capsys.readouterr()
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert "loading" not in said
    assert "3 unchanged;" in said
    with sqlite3.connect("g.db") as db:
        assert db.execute("SELECT count(*) FROM hashes").fetchall() == [(3,)]
    db.close()


# ---- damaged files


def test_what_can_be_seen_of_a_damaged_file_is_searched_until_the_file_is_whole(
    add: Add, tiny_clip: Path, tmp_path: Path, capsys: Capture
) -> None:
    patches(tmp_path / "photos", 2)
    cut, _ = sorted((tmp_path / "photos").glob("*.png"))
    whole = cut.read_bytes()
    cut.write_bytes(whole[: int(len(whole) * 0.9)])
    assert add("photos") == 0
    said = capsys.readouterr().out
    assert f"photos/{cut.name}: It is damaged. What can be seen of it is searched." in said
    assert "2 added, 1 of them in part;" in said
    assert main(["info", "--db", "g.db"]) == 0
    assert "partial   1 picture whose file is damaged" in capsys.readouterr().out
    assert add("photos") == 0
    assert "2 unchanged;" in capsys.readouterr().out
    cut.write_bytes(whole)
    assert add("photos") == 0
    assert "1 changed, 1 unchanged;" in capsys.readouterr().out
    assert main(["info", "--db", "g.db"]) == 0
    assert "partial" not in capsys.readouterr().out
