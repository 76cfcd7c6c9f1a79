"""`find` reads the query language, says how it was read, and says when nothing fits."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo import WORLD
from index.cli.main import main
from index.gallery import Gallery
from index.types.records import Answer, Group, Link, Verdict
from pocket import MODEL
from tests.index.cli.folders import patches

Add = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of drawings of the demo, in two folders, with the pocket model: `g.db` in it."""
    folder = tmp_path_factory.mktemp("album")
    pictures = sorted((WORLD.parent / "pictures").glob("*.webp"))[:60]
    for i, picture in enumerate(pictures):
        place = folder / ("My Photos" if i % 2 else "pets") / picture.name
        place.parent.mkdir(exist_ok=True)
        shutil.copy(picture, place)
        os.utime(place, (1_600_000_000 + i * 86_400, 1_600_000_000 + i * 86_400))
    arguments = ["add", str(folder), "--db", str(folder / "g.db"), "--model", str(MODEL)]
    assert main(arguments) == 0
    return folder


@pytest.fixture
def here(album: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """The album as the current folder."""
    monkeypatch.chdir(album)
    monkeypatch.setenv("LC_ALL", "C")
    capsys.readouterr()
    return album


def asked(capsys: Capture, typed: str) -> tuple[int, str, str]:
    code = main([*shlex.split(typed), "--db", "g.db"])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def hits(capsys: Capture, typed: str) -> list[dict[str, Any]]:
    code, out, err = asked(capsys, f"find {typed} --json --guesses")
    assert (code, err) == (0, "")
    found: list[dict[str, Any]] = json.loads(out)["hits"]
    return found


def names(found: list[dict[str, Any]]) -> list[str]:
    return [Path(hit["path"]).name for hit in found]


# ---- one language, as words and as options


@pytest.mark.parametrize(
    ("inline", "options"),
    [
        ("dog -snow", "dog --without snow"),
        ('dog -"blue sky" -snow', 'dog --without snow --without "blue sky"'),
        ("dog in:pets", "dog --in pets"),
        ("dog from:pets", "--from pets dog"),
        ('dog in:"My Photos"', 'dog --in "My Photos"'),
        ("dog in:pets in:'My Photos'", "dog --in pets --from 'My Photos'"),
        ("dog after:2020-09-20", "dog --after 2020-09-20"),
        ("dog since:2020-09-20 before:2020-10-05", "dog --since 2020-09-20 --before 2020-10-05"),
        ("dog on:2020-09", "--on 2020-09 dog"),
        ("dog until:2020-09", "dog --until=2020-09"),
        ("dog has:image sort:new", "--sort new dog --has image"),
        ("sort:old -in:pets", "sort:old '-in:pets'"),
    ],
)
def test_options_say_the_same_as_the_line(
    here: Path, capsys: Capture, inline: str, options: str
) -> None:
    one, other = (names(hits(capsys, f"{typed} -k 60")) for typed in (inline, options))
    assert one == other
    assert one


def test_options_stand_between_words(here: Path, capsys: Capture) -> None:
    expected = names(hits(capsys, "dog in snow -k 3"))
    assert len(expected) == 3
    for typed in ("dog -k 3 in snow", "dog -k3 in snow", "--limit 3 dog in snow"):
        assert names(hits(capsys, typed)) == expected
    before = ["--db", "g.db", "-k", "3", "find", "dog", "in", "snow", "--json", "--guesses"]
    assert main(before) == 0
    assert names(json.loads(capsys.readouterr().out)["hits"]) == expected


def test_folders_limit_what_is_searched(here: Path, capsys: Capture) -> None:
    def folders(typed: str) -> set[str]:
        return {Path(hit["path"]).parent.name for hit in hits(capsys, f"{typed} -k 60")}

    assert folders("dog") == {"pets", "My Photos"}
    assert folders("dog in:pets") == {"pets"}
    assert folders("dog -in:pets") == {"My Photos"}
    assert folders(f"dog --in {here}/pets/") == {"pets"}
    assert folders("dog in:PETS") == {"pets"}  # as the gallery calls it, from wherever one is
    os.chdir("pets")
    assert main(["find", "dog", "in:.", "--db", "../g.db", "--json", "--guesses"]) == 0
    found = json.loads(capsys.readouterr().out)["hits"]
    assert {Path(hit["path"]).parent.name for hit in found} == {"pets"}
    assert found


def test_a_folder_that_the_gallery_does_not_have_is_named(here: Path, capsys: Capture) -> None:
    (here / "other").mkdir(exist_ok=True)
    for typed, said in (
        ("in:petz", "The gallery has nothing of a folder petz; did you mean pets?\n"),
        (
            "--in other",
            "The gallery has nothing of a folder other yet. This adds it:\n"
            "  python -m index add other --db g.db\n",
        ),
        (
            "-in:quux",
            "The gallery has nothing of a folder quux. This lists its folders:\n"
            "  python -m index info --db g.db\n",
        ),
    ):
        assert asked(capsys, f"find dog {typed}") == (2, "", said)


def test_less_of_something(here: Path, capsys: Capture) -> None:
    both = names(hits(capsys, "dog -k 60"))
    without = names(hits(capsys, "dog -snow -k 60"))
    assert sorted(both) == sorted(without)
    assert both != without


def test_sorted_by_date(here: Path, capsys: Capture) -> None:
    newest = [hit["changed"] for hit in hits(capsys, "in:pets sort:new -k 5")]
    assert newest == sorted(newest, reverse=True)
    oldest = [hit["changed"] for hit in hits(capsys, "in:pets sort:old -k 5")]
    assert oldest == sorted(oldest)
    assert oldest[0] == 1_600_000_000
    _, out, _ = asked(capsys, "find sort:old -k 1")
    assert out.startswith("1  2020-09-13  pets/")


# ---- what was read


def test_words_that_are_read_as_minus_are_told(here: Path, capsys: Capture) -> None:
    _, out, err = asked(capsys, "find dog without snow --guesses -k 1")
    assert out.startswith("“without snow” is read as less of “snow”.\n")
    assert err == ""
    assert hits(capsys, "dog without snow") == hits(capsys, "dog -snow")
    _, out, err = asked(capsys, "find dog without snow --guesses -k 1 --paths")
    assert "without" not in out
    assert err.startswith("“without snow” is read as less of “snow”.\n")
    _, out, _ = asked(capsys, "find dog without snow --json")
    answer = json.loads(out)
    assert (answer["query"], answer["minus"]) == ("dog without snow", ["snow"])
    assert answer["notes"] == ["“without snow” is read as less of “snow”."]


def test_exact_words_find_the_pictures_that_say_them(here: Path, capsys: Capture) -> None:
    code, out, _ = asked(capsys, "find '\"keep out\"'")
    assert code == 1
    assert "The words in 60 pictures were not read yet." in out
    assert 'Nothing in the gallery says "keep out".' in out
    assert 'gallery fits "keep out" has:gif.' in asked(capsys, "find '\"keep out\"' has:gif")[1]
    assert main(["info", "--db", "g.db"]) == 0
    assert "words     read in 0 of them" in capsys.readouterr().out

    async def read() -> str:
        gallery = await Gallery.open("g.db")
        await gallery.transcripts.begin("test")
        pending = await gallery.transcripts.pending(limit=100)
        for one in pending:
            await gallery.transcripts.put(one.key, "test", [])
        await gallery.transcripts.put(pending[7].key, "test", ["Please KEEP", "out of here"])
        await gallery.close()
        return pending[7].link.source

    source = asyncio.run(read())
    [hit] = hits(capsys, "'\"keep out\" show:me'")
    assert (hit["path"], hit["says"]) == (source, "Please KEEP out of here")
    code, out, _ = asked(capsys, "find '\"keep out\" show:me'")
    assert code == 0
    assert out.splitlines()[0] == "show: is for chats; here only you see the answer."
    assert out.splitlines()[-1].endswith(" says “Please KEEP out of here”")
    first, *others = hits(capsys, "keep out of here -k 5")
    assert (first["path"], first["sure"]) == (source, True)
    assert [one["says"] for one in others] == [None] * 4
    assert asked(capsys, "find '\"keep ou\"'")[0] == 1


def test_what_cannot_be_read_is_pointed_at_and_corrected(here: Path, capsys: Capture) -> None:
    code, out, err = asked(capsys, "find dog after:2020-13 --json -k 3")
    assert (code, out) == (2, "")
    reason, line, marks, heading, command = err.splitlines()
    assert "2020-13" in reason
    assert line == "  dog after:2020-13"
    assert marks[line.index("2020-13") :] == "^" * len("2020-13")
    assert heading == "This can be read:"
    assert command == "  python -m index find dog --json -k 3 --db g.db"
    assert main(shlex.split(command)[3:]) in (0, 1)


def test_an_option_that_cannot_be_read_is_corrected_in_the_line(
    here: Path, capsys: Capture
) -> None:
    code, _, err = asked(capsys, "find dog --sort newst --in pets")
    assert code == 2
    *_, command = err.splitlines()
    assert command == "  python -m index find sort:newest dog --in pets --db g.db"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-snow", "A minus only says what not to show."),
        ("in:pets -snow", "A minus only says what not to show."),
        ("'\"keep out\"' -snow", "A minus only says what not to show."),
        ("dog has:sticker", "has:sticker is of pictures in a chat."),
        ("dog -sort", "-sort can be read in two ways."),
        ("dog --snow", "For less of “snow”, write --without snow."),
        ("dog -20", "For 20 results, write -k 20."),
        ("dog --json --paths", "choose one of them"),
    ],
)
def test_questions_that_make_no_sense(here: Path, capsys: Capture, typed: str, said: str) -> None:
    code, out, err = asked(capsys, f"find {typed}")
    assert (code, out) == (2, "")
    assert said in err


# ---- what fits


def test_limits_that_leave_nothing_are_told(here: Path, capsys: Capture) -> None:
    said = "Nothing in the gallery fits before:2001-01-01.\n"
    assert asked(capsys, "find dog before:2001") == (1, said, "")
    assert asked(capsys, "find dog before:2001 --paths") == (1, "", said)
    assert asked(capsys, "find sort:new before:2001") == (1, said, "")


def test_that_nothing_fits_is_told_in_every_form(here: Path, capsys: Capture) -> None:
    nothing = "Nothing here looks like “asdfghjkl”.\nTo see what comes nearest:\n"
    command = "  python -m index find asdfghjkl -k 3 --db g.db --guesses\n"
    assert asked(capsys, "find asdfghjkl -k 3") == (1, nothing + command, "")
    code, out, err = asked(capsys, "find asdfghjkl --paths")
    assert (code, out) == (1, "")
    assert err.startswith(nothing)
    code, out, err = asked(capsys, "find asdfghjkl --json")
    answer = json.loads(out)
    assert (code, err) == (1, "")
    assert (answer["confident"], answer["verdict"], answer["hits"]) == (False, "nothing", [])
    code, _, err = asked(capsys, "find asdfghjkl --sheet x.png")
    assert (code, (here / "x.png").exists()) == (1, False)
    assert err == "There is no picture to show on x.png; it was not written.\n"
    assert main([*shlex.split(command)[3:]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Nothing here looks like “asdfghjkl”; these come nearest:"
    assert [line[0] for line in lines[1:]] == ["1", "2", "3"]


def test_an_answer_that_is_not_sure_says_that_it_may_fit(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Gallery.search

    async def unsure(self: Gallery, *given: Any, **options: Any) -> Answer:
        return replace(await searched(self, *given, **options), verdict=Verdict.UNSURE)

    monkeypatch.setattr(Gallery, "search", unsure)
    said = "These may fit “dog”, but the model is not sure of any of them"
    code, out, _ = asked(capsys, "find dog -k 2 --guesses")
    assert (code, out.splitlines()[0]) == (0, f"{said}:")
    assert asked(capsys, "find dog -k 2 --guesses --paths")[2] == f"{said}.\n"
    one = "This may fit “dog”, but the model is not sure of it:"
    assert asked(capsys, "find dog -k 1 --guesses")[1].splitlines()[0] == one


def test_limits_are_told_where_nothing_fits_among_them(here: Path, capsys: Capture) -> None:
    _, out, _ = asked(capsys, "find asdfghjkl in:pets")
    assert out.startswith("Nothing here looks like “asdfghjkl” among what in:pets leaves.\n")


# ---- galleries of others


async def _bots_gallery(model: Path, picture: bytes) -> None:
    gallery = await Gallery.open("bot.db", str(model))
    try:
        link = Link(space=7, group=Group(8), source="9", slot="a", posted_at=1.0, name="a.png")
        await gallery.add(picture, link)
    finally:
        await gallery.close()


def test_a_bots_gallery_is_not_called_empty(
    tiny_clip: Path, tmp_path: Path, capsys: Capture
) -> None:
    (file,) = patches(tmp_path / "photos", 1)
    asyncio.run(_bots_gallery(tiny_clip, file.read_bytes()))
    assert main(["find", "a dog", "--db", "bot.db"]) == 2
    assert capsys.readouterr().err == (
        "bot.db is the gallery of a bot: what it has was posted in chats, and nothing of it is a "
        "file here. Ask the bot with /find, or name another gallery with --db.\n"
    )
