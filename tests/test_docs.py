"""What the documents say is what the code does."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import magpie
from bench import MEASUREMENTS
from bench.measured.kept import read as read_kept
from bench.measured.tables import ALL_TARGETS, names, written
from bot.ops import settings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/*.md")])
PAGES = sorted(ROOT.glob("docs/*.md"))  # those that may have tables of figures
MEASURED = ROOT / "docs" / "measured"
SECTIONS = re.compile(r"^#+ (.+)$", re.M)


def test_readme_has_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\S+) \|", (ROOT / "README.md").read_text(), re.M)
    told = {name: default.strip("`") for name, default in rows}
    assert told == {name: value or "–" for name, value in settings.DEFAULTS.items()}


def test_example_file_has_every_setting_with_its_default() -> None:
    lines = re.findall(r"^#? ?([A-Z_]+)=(\S*)$", (ROOT / ".env.example").read_text(), re.M)
    assert dict(lines) == settings.DEFAULTS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", document.read_text()):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+)(?: [a-z]+)*:", (ROOT / "Makefile").read_text(), re.M))
    for name in re.findall(r"`make ([a-z]+)", document.read_text()):
        assert name in targets, name


def test_readme_command_line_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    calls = re.findall(r"bin/magpie (\w+)(.*)", (ROOT / "README.md").read_text())
    assert {verb for verb, _ in calls} == {
        "add", "find", "copies", "map", "serve", "info", "models", "look", "remove", "backup",
        "restore", "demo",
    }  # fmt: skip
    for verb, rest in calls:
        assert magpie.main([verb, "--help"]) == 0
        said = capsys.readouterr().out
        for option in re.findall(r"--?\w+", re.split("[#|]", rest)[0]):
            assert option in said


def test_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert version[1] in SECTIONS.findall((ROOT / "CHANGELOG.md").read_text())[1]


def test_readme_invite_link_asks_for_what_the_bot_asks() -> None:
    from bot.platform.invitation import permissions

    assert f"permissions={permissions().value}" in (ROOT / "README.md").read_text()


# ---- measured figures


def test_tables_of_figures_are_those_of_the_kept_runs() -> None:
    """`python -m bench tables` writes them."""
    kept = read_kept(MEASURED)
    others = [page.name for page in PAGES if written(page.read_text(), kept) != page.read_text()]
    assert others == []


def test_each_bench_has_its_table_on_one_page() -> None:
    measured = [name for page in PAGES for name in names(page.read_text())]
    assert sorted(measured) == sorted([*MEASUREMENTS, ALL_TARGETS])


def test_the_page_of_figures_leads_to_the_table_of_each_bench() -> None:
    rows = re.findall(
        r"^\| (`.+`) \| \[.+\]\((\w+\.md)", (ROOT / "docs/figures.md").read_text(), re.M
    )
    led = {name: page for listed, page in rows for name in re.findall(r"`(\w+)`", listed)}
    assert led == {
        name: page.name for page in PAGES for name in names(page.read_text()) if name != ALL_TARGETS
    }


# ---- the layout


def _imported(package: str) -> set[str]:
    """The top-level names that the modules of a package import, anywhere in their code."""
    return {name for file in (ROOT / package).rglob("*.py") for name in _imported_by(file)}


def _imported_by(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("index", {"bot", "sandbox", "demo", "bench", "checks", "pocket", "discord"}),
        ("bot", {"sandbox", "demo", "bench", "checks"} | {"torch", "transformers", "numpy"}),
        ("bot", {"sqlite3", "aiosqlite"}),
        ("sandbox", {"bot", "index", "demo", "bench", "checks", "torch"}),
        ("demo", {"bot", "index"}),
    ],
)
def test_package_knows_nothing_of(package: str, others: set[str]) -> None:
    assert not _imported(package) & others


def test_the_members_client_knows_nothing_of_the_server() -> None:
    tree = ast.parse((ROOT / "sandbox" / "person.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, node.module
    assert not _imported_by(ROOT / "sandbox" / "person.py") & {"bot", "index", "sandbox"}


def test_index_is_imported_without_discord_or_torch() -> None:
    code = "import sys, index; print(*({'discord', 'torch', 'transformers'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (said.returncode, said.stdout.strip(), said.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "name", ["/work/", "/root/", "pypi.org", "registry.npmjs", "pythonhosted", "pytorch.org/whl"]
)
def test_nothing_names_a_machine_or_a_registry(name: str) -> None:
    files = subprocess.run(
        ["git", "grep", "-IlF", name, "--", ":!tests/test_docs.py"],
        cwd=ROOT, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert not files


def test_the_map_shows_every_folder_and_nothing_that_is_not_there() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(
        re.findall(r"`((?:bot|index|bench|checks|tests|pocket|demo|sandbox)/[\w/.]*)", told)
    )
    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True)
    files = [Path(line) for line in tracked.stdout.splitlines()]
    folders = {file.parts[0] for file in files if len(file.parts) > 1}
    folders |= {file.parts[1] for file in files if file.parts[0] in ("bot", "index")}
    folders = {name for name in folders if name not in ("__init__.py", "__main__.py")}
    assert {name for name in folders if name.removesuffix(".py") not in told} == set()
