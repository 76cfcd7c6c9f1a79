"""Options and words are told apart wherever they stand, and a slip is named with what was meant."""

from __future__ import annotations

import random
import string
from itertools import chain

import pytest

from console.arguments import Options, Sorted, meant, sort_out
from console.exits import WrongUse

TAKES = {
    **dict.fromkeys(["-k", "--limit"], "N"),
    **dict.fromkeys(["--db", "--image", "--sheet"], "FILE"),
    **dict.fromkeys(["-h", "--help", "-0", "--json", "--paths"]),
    "--without": "WORDS",
}
FIND = Options("magpie find", TAKES, minus=True)
ADD = Options("magpie add", TAKES)


@pytest.mark.parametrize(
    ("typed", "options", "words"),
    [
        (["dog", "-k", "1", "in", "snow"], ["-k", "1"], ["dog", "in", "snow"]),
        (["--limit", "5", "dog"], ["--limit", "5"], ["dog"]),
        (["dog", "--limit=5"], ["--limit", "5"], ["dog"]),
        (["dog", "-k5"], ["-k", "5"], ["dog"]),
        (["dog", "-k=5"], ["-k", "5"], ["dog"]),
        (["dog", "-k", "-5"], ["-k", "-5"], ["dog"]),
        (["dog", "-0", "--paths"], ["-0", "--paths"], ["dog"]),
        (["--image", "-x.jpg"], ["--image", "-x.jpg"], []),
        (["--db=a=b"], ["--db", "a=b"], []),
        (["--db="], ["--db", ""], []),
        # words with a minus
        (["dog", "-snow"], [], ["dog", "-snow"]),
        (["-red car", "dog"], [], ["-red car", "dog"]),
        (["-kitchen"], [], ["-kitchen"]),
        (["-house", "-hat"], [], ["-house", "-hat"]),
        (["-in:album", "-has:gif"], [], ["-in:album", "-has:gif"]),
        (["-犬", "-é", "-🐕"], [], ["-犬", "-é", "-🐕"]),
        (["-", "dog"], [], ["-", "dog"]),
        (["-sheets"], [], ["-sheets"]),
        # behind --, all are words
        (["--json", "--", "--limit", "-k", "-x"], ["--json"], ["--limit", "-k", "-x"]),
        (["dog", "--", "--"], [], ["dog", "--"]),
        ([""], [], [""]),
    ],
)
def test_options_and_words(typed: list[str], options: list[str], words: list[str]) -> None:
    found = sort_out(typed, FIND)
    assert ([*chain(*found.options)], found.words) == (options, words)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["--limt", "5"], "magpie find has no option --limt; did you mean --limit?"),
        (["--lim"], "magpie find has no option --lim; did you mean --limit?"),
        (["--snow"], "For less of “snow”, write --without snow."),
        (["-n", "5"], "magpie find has no option -n."),
        (["-20"], "For 20 results, write -k 20."),
        (["-sheet", "x.png"], "For the option, write --sheet FILE."),
        (["-sheet=x.png"], "For less of “sheet”, write --without sheet."),
        (["-json"], "-json can be read in two ways. For the option, write --json."),
        (["--json=1"], "--json stands alone: write it without “=1”."),
        (["--image"], "--image needs FILE behind it; nothing came."),
        (
            ["--image", "--json"],
            "--image needs FILE behind it; what came next is the option --json.",
        ),
        (["--image", "--", "x"], "--image needs FILE behind it; nothing came."),
    ],
)
def test_slips_are_named(typed: list[str], sentence: str) -> None:
    with pytest.raises(WrongUse) as refused:
        sort_out(typed, FIND)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("typed", ["-snow", "-db", "-x", "--exclud"])
def test_commands_without_minus_take_no_word_with_a_dash(typed: str) -> None:
    with pytest.raises(WrongUse, match=f"magpie add has no option {typed}"):
        sort_out([typed], ADD)
    assert sort_out(["--", typed], ADD).words == [typed]
    assert sort_out(["-kx"], ADD).options == [("-k", "x")]


def test_one_dash_too_few_is_a_hint() -> None:
    with pytest.raises(WrongUse, match=r"did you mean --db\?"):
        sort_out(["-db"], ADD)


def test_nothing_that_is_typed_is_lost_or_made_up() -> None:
    """Whatever the order, the words come out in theirs, and each option with its value."""
    chance = random.Random(7)
    for _ in range(3000):
        options, words, typed = [], [], []
        for _ in range(chance.randrange(8)):
            if chance.random() < 0.5:
                name = chance.choice(list(TAKES))
                value = "".join(chance.choices(string.printable, k=3)) if TAKES[name] else None
                if value is not None and (value in TAKES or value == "--"):
                    continue
                options.append((name,) if value is None else (name, value))
                glued = value is not None and name.startswith("--") and chance.random() < 0.5
                typed += [f"{name}={value}"] if glued else options[-1]
            else:
                word = "".join(chance.choices("abcdefg犬é ", k=4))
                words.append(chance.choice(["", "-"]) + word)
                typed.append(words[-1])
        assert sort_out(typed, FIND) == Sorted(options, words), typed


def test_what_was_meant() -> None:
    known = ["add", "find", "info", "completion", "--limit", "--image"]
    assert meant("fnid", known) == "; did you mean find?"
    assert meant("comp", known) == "; did you mean completion?"
    assert meant("zebra", known) == "."
    assert meant("--limt", known) == "; did you mean --limit?"
