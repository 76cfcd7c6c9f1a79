"""`magpie serve` as it is typed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.index import checkpoints

ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "magpie.py"), "serve", *arguments]


def refusal(*arguments: str, folder: Path) -> str:
    """What is said on the standard error by a command that must be refused."""
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr


@contextmanager
def running(*arguments: str, folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address that a command prints, and its process."""
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
    )
    try:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if line.strip().startswith("http"):
                yield line.strip(), process
                return
        raise AssertionError(printed)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def told(url: str) -> Any:
    with urllib.request.urlopen(url + "api/gallery", timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def test_what_can_not_be_served_is_refused_in_words(home: Path, folder: Path) -> None:
    assert "is no folder" in refusal("nothing", folder=home)
    said = refusal("photos", folder=home)
    assert "There is no gallery at" in said
    assert "serve photos --add" in said
    assert "serve needs FOLDER." in refusal(folder=home)


@pytest.mark.slow
def test_a_folder_is_added_served_and_ended(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = checkpoints.tiny_clip(home.resolve() / "clip")
    started = home / "started"
    browser = home / "browser"  # one that stays until its window is closed
    browser.write_text(
        f"#!/bin/sh\necho $$ $1 > {started}.new; mv {started}.new {started}\n"
        "exec sleep 600 > /dev/null 2>&1\n"
    )
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(browser))
    given = ("--db", "g.db", "--model", str(model))
    with running("photos", "--add", *given, folder=home) as (url, process):
        while not started.exists():
            time.sleep(0.02)
        of_browser, opened = started.read_text().split()
        assert url.split("/")[3] not in opened  # all accounts can read with what it was started
        with urllib.request.urlopen(opened, timeout=30) as answer:
            assert answer.url == url
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/html")
        while told(url)["adding"] is not None:
            time.sleep(0.1)
        assert told(url)["count"] == 5
        asked = urllib.request.Request(url + "api/ask", json.dumps({"line": "castle"}).encode())
        with urllib.request.urlopen(asked, timeout=60) as answer:
            head = json.load(answer)
        found = subprocess.run(
            [sys.executable, str(ROOT / "magpie.py"), "find", "castle", "--db", "g.db"],
            capture_output=True,
            text=True,
            cwd=home,
            timeout=120,
            check=False,
        )
        assert head["sentence"]
        assert head["sentence"].rstrip(".") in found.stdout  # as honest as the command line
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        os.kill(int(of_browser), signal.SIGKILL)
    (home / "other").mkdir()
    assert "The gallery has nothing of other yet." in refusal("other", *given, folder=home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal("photos", "--port", str(port), *given, folder=home)
        assert f"Port {port} is taken by another program." in said
