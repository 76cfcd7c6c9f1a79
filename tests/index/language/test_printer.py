"""What is printed is read as the same."""

from __future__ import annotations

import pytest

from index import Reader, Sort, Wish, parse, printed
from tests.index.language.readers import read, reader

LINES = [
    ('dog -snow "x"', 'dog "x" -snow'),
    ('-"red car" beach', 'beach -"red car"'),
    ("dog without snow", "dog -snow"),
    ('from:"Ana Maria",@ben in:#a', 'from:"Ana Maria" from:@ben in:#a'),
    ("on:may 2024", "on:2024-05"),
    ("on:2024", "on:2024"),
    ("on:yesterday", "on:2026-11-28"),
    ("after:2024-05 before:yesterday", "since:2024-06-01 before:2026-11-28"),
    ("after:2 hours ago", "since:2026-11-29T14:00:00Z"),
    ("sort:newest show:only me has:gif", "has:gif sort:new show:me"),
    (r"\-dog \"x \from:y", r"\-dog \"x \from:y"),
    (r"\no dogs", r"\no dogs"),
    ("no parking", "no parking"),
]


@pytest.mark.parametrize(("line", "again"), LINES)
def test_a_line_is_printed_shortly(line: str, again: str) -> None:
    assert printed(read(line), reader()) == again
    assert read(again) == read(line)


def test_without_a_reader_a_moment_is_the_same_for_everybody() -> None:
    wish = read("on:2024-05-01")
    assert printed(wish) == "since:2024-05-01T00:00:00Z before:2024-05-02T00:00:00Z"


@pytest.mark.parametrize(
    "wish",
    [
        Wish(words='-dog "x" from: @ana - a:b \\ \\\\ 「 犬「'),
        Wish(words="no", exact=("people",)),
        Wish(words="dog pinned:", minus=('no "x" ”',)),
        Wish(exact=('a "b" \\', "”“„«»「」a")),
        Wish(authors=("a,b", "-x", "", 'q"', "\\", "in:x", "C:\\new dir\\")),
        Wish(since=-6e10 + 0.125, until=2.5e11 + 0.214),
        Wish(since=3e9),  # in the future
        Wish(sort=Sort.OLDEST, show="everyone", has=frozenset({"gif"})),
    ],
    ids=str,
)
def test_any_wish_is_read_again_as_it_was(wish: Wish) -> None:
    for locale in ("en-US", "de", "ja", "xx"):
        someone = Reader(reader().now, locale)
        assert parse(printed(wish), someone) == wish
        assert parse(printed(wish, someone), someone) == wish


def test_a_wish_is_tidy_and_without_doubles() -> None:
    assert Wish(words=" a  b\u200b", minus=("x", "", " x")) == Wish(words="a b", minus=("x",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": 2.0, "until": 1.0},
        {"since": float("nan")},
        {"until": 1e15},
        {"has": frozenset({"zzz"})},
        {"has": frozenset({"gif", "video"})},
        {"show": "all"},
    ],
)
def test_what_cannot_be_asked_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Wish(**wrong)  # type: ignore[arg-type]
