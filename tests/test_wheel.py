"""What is installed from the wheel works, in any folder: nothing of the checkout is needed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from bot.ops import settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    *("bench", "bot", "checks", "console", "demo", "index", "pocket", "sandbox", "serve"),
    "trial_postgres",
)
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def tracked() -> list[str]:
    """The files of this checkout that git knows, or would, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: what an earlier build left in build/ must not get into it."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked():
        if name.startswith((*(f"{package}/" for package in PACKAGES),)) or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    built = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", built, source],
        check=True,
    )
    (found,) = built.glob("magpie-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's packages, and the console script in its bin/."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", "--no-deps", "--target", folder, wheel], check=True)
    _give_compiled_loops(folder)
    return folder


def _give_compiled_loops(folder: Path) -> None:
    """The machine code that numba made of the checkout's loops, if it did: to compile the same
    loops again takes most of a minute. numba takes it if each file's time and size are the same."""
    for made in (ROOT / "index").rglob("__pycache__/*.nb[ic]"):
        there = folder / made.relative_to(ROOT)
        there.parent.mkdir(exist_ok=True)
        shutil.copy(made, there)
        module = made.parent.parent / f"{made.name.partition('.')[0]}.py"
        if not module.exists():  # it had another name when the machine code was made
            continue
        shutil.copystat(module, folder / module.relative_to(ROOT))


@pytest.fixture(scope="module")
def small_world(installed: Path) -> None:
    """Only pictures with snow in the demo's world. tests/page/test_magpie.py has all indexed."""
    folder = installed / "demo" / "world"
    world, labels = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("world.json", "labels.json")
    )
    snowy = {file for file, label in labels.items() if "snow" in label["places"]}
    for guild in world["guilds"]:
        for message in guild["messages"]:
            pictures = message.get("attachments", [])
            message["attachments"] = [one for one in pictures if one["file"] in snowy]
    (folder / "world.json").write_text(json.dumps(world), encoding="utf-8")


class Shell:
    """An empty folder in which commands of the installed packages are run."""

    def __init__(self, installed: Path, folder: Path) -> None:
        self.folder = folder
        self._magpie = installed / "bin" / "magpie"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MAGPIE_", "DISCORD_"))},
            "PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(installed),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONSAFEPATH": "1",
            "XDG_DATA_HOME": str(folder / "home"),
        }

    def magpie(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(self._magpie, *arguments)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(sys.executable, *arguments)

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True
        )


@pytest.fixture
def shell(installed: Path, tmp_path: Path) -> Shell:
    return Shell(installed, tmp_path)


def test_wheel_has_every_file_of_every_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        packed = set(file.namelist())
    wanted = {name for name in tracked() if name.split("/")[0] in PACKAGES} | {"magpie.py"}
    assert not wanted - packed
    assert {name.split("/")[0] for name in packed if "dist-info" not in name} == {
        *PACKAGES,
        "magpie.py",
    }


def test_packages_are_imported_from_the_wheel(shell: Shell, installed: Path) -> None:
    code = f"import magpie, {', '.join(PACKAGES)}\nfor one in (magpie, {', '.join(PACKAGES)}): "
    said = shell.python("-c", code + "print(one.__file__)")
    assert said.returncode == 0, said.stderr
    for file in said.stdout.splitlines():
        assert Path(file).is_relative_to(installed), file


def test_magpie_lists_its_commands(shell: Shell) -> None:
    said = shell.magpie("--help")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == shell.magpie().stdout
    for command in ("add", "find", "info", "bot", "demo", "sandbox", "bench"):
        assert f"\n  {command} " in said.stdout


def test_unknown_command_is_told_in_a_sentence(shell: Shell) -> None:
    said = shell.magpie("fnid", "dog")
    assert (said.returncode, said.stdout) == (2, "")
    assert (
        said.stderr
        == "magpie has no command 'fnid'; did you mean find? magpie --help lists them.\n"
    )


@pytest.mark.parametrize("command", [("info",), ("find", "dog", "in", "snow")])
def test_without_a_gallery_magpie_says_how_to_make_one(
    shell: Shell, command: tuple[str, ...]
) -> None:
    said = shell.magpie(*command)
    assert said.returncode == 2
    assert "There is no gallery at" in said.stderr
    assert not list(shell.folder.iterdir())


def test_magpie_find_does_not_import_discord(shell: Shell) -> None:
    code = "import sys, magpie\nmagpie.main(['find', 'dog'])\nprint('discord' in sys.modules)"
    assert shell.python("-c", code).stdout == "False\n"


def test_bot_without_a_token_says_what_is_missing(shell: Shell) -> None:
    said = shell.magpie("bot")
    assert said.returncode == 2
    assert "DISCORD_TOKEN" in said.stderr


def test_bot_tells_its_settings_without_a_token(shell: Shell) -> None:
    said = shell.magpie("bot", "--help")
    assert (said.returncode, said.stderr) == (0, "")
    for name, default in settings.DEFAULTS.items():
        assert re.search(rf"^  {name} +\S.*{re.escape(default)}", said.stdout, re.MULTILINE), name


def test_bot_names_an_argument_that_it_does_not_know(shell: Shell) -> None:
    said = shell.magpie("bot", "--healt")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("magpie bot has no option --healt; did you mean --health?\n")
    assert "DISCORD_TOKEN" not in said.stderr


@pytest.mark.parametrize("program", ["bot", "demo", "sandbox", "bench"])
def test_usage_names_the_command_as_it_was_called(shell: Shell, program: str) -> None:
    assert shell.magpie(program, "--help").stdout.startswith(f"usage: magpie {program} ")
    assert re.match(rf"usage: \S+ -m {program} ", shell.python("-m", program, "--help").stdout)


@pytest.mark.slow
@pytest.mark.usefixtures("small_world")
def test_demo_runs_and_keeps_its_data_below_the_current_folder(
    shell: Shell, installed: Path
) -> None:
    before = {path for path in installed.rglob("*") if "__pycache__" not in path.parts}
    said = shell.magpie("demo", "--once", "--port", "0")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "asked /find dog in snow and was answered" in said.stdout
    assert [path.name for path in shell.folder.iterdir()] == ["data"]
    assert {path for path in installed.rglob("*") if "__pycache__" not in path.parts} == before


@pytest.mark.slow
@pytest.mark.usefixtures("small_world", "postgres_server")
def test_demo_answers_from_postgresql(shell: Shell) -> None:
    """The demo starts a PostgreSQL server. Where none can be started, this test is skipped."""
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        data.chmod(0o711)  # as root, another user runs the server
        said = shell.magpie("demo", "--once", "--port", "0", "--db", "postgres", "--data", name)
        assert said.returncode == 0, said.stdout + said.stderr
        assert "the gallery is in a PostgreSQL server" in said.stdout
        assert "Closest to “dog in snow”" in said.stdout
        assert not (data / "magpie.db").exists()
        password = (data / "postgres" / "password").read_text()
        assert password not in said.stdout + (data / "bot.log").read_text()
