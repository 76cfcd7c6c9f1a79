"""What a shell hands over and a line of the query language say the same, in both directions."""

from __future__ import annotations

import random
import shlex
from datetime import UTC, datetime

import pytest

from console.arguments import sort_out
from console.exits import WrongUse
from index.cli.commands.find import COMMAND
from index.cli.line import joined, separate
from index.language import Reader, Unreadable, parse, printed

READER = Reader(datetime(2026, 5, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("dog in snow", "dog in snow"),
        ("dog -snow", "dog -snow"),
        ('dog -"red car"', 'dog -"red car"'),
        ('"-red car"', '-"red car"'),
        ("'dog -\"red car\" -snow'", 'dog -"red car" -snow'),
        ('"dog in snow"', "dog in snow"),
        ('in:"My Photos" dog', 'in:"My Photos" dog'),
        ('-in:"My Photos"', '-in:"My Photos"'),
        ('after:"last week"', "after:last week"),
        ('without:"red car"', 'without:"red car"'),
        ("'after:2024 dog'", "after:2024 dog"),
        ("'sort:new dog -snow'", "sort:new dog -snow"),
        ("'in:pets sort:new'", "in:pets sort:new"),
        ("'\"keep out\" sign'", '"keep out" sign'),
        (r'in:"C:\\My Photos"', r'in:"C:\\My Photos"'),
        ("'re: zero'", "re: zero"),
    ],
)
def test_words_of_a_shell_are_a_line(typed: str, line: str) -> None:
    assert joined(shlex.split(typed)) == line


def test_what_a_shell_took_away_is_put_back() -> None:
    wish = parse(joined(shlex.split('dog -"red car" in:"My Photos" on:"last year"')), READER)
    assert (wish.words, wish.minus, wish.places) == ("dog", ("red car",), ("My Photos",))
    assert wish.since is not None


def lines(count: int) -> list[str]:
    """Lines of the language, also of what nobody types."""
    chance = random.Random(5)
    parts = [
        *("dog", "in", "-snow", '-"red car"', '"keep out"', 'in:"My Photos"', "-in:a\\b", "犬"),
        *("from:x,y", "on:2024", "sort:new", "-json", "-k", "-20", "--", "it's", "a:b", "$HOME"),
        *("`x`", "\\-dog", 'in:"a \\"b\\" c"', "“red", "car”", "*", "-", "has:gif", "\\"),
    ]
    return [" ".join(chance.choices(parts, k=chance.randrange(1, 7))) for _ in range(count)]


def test_a_line_survives_the_way_through_a_shell() -> None:
    for line in lines(2000):
        command = COMMAND.line("magpie", [("-k", "3")], separate(line))
        program, name, *arguments = shlex.split(command)
        assert (program, name) == ("magpie", "find")
        found = sort_out(arguments, COMMAND.known("magpie"))
        assert (found.options, joined(found.words)) == ([("-k", "3")], line), command


def test_a_printed_wish_can_be_typed() -> None:
    for line in lines(300):
        try:
            wish = parse(line, READER)
        except Unreadable:
            continue
        typed = COMMAND.line("magpie", [], separate(printed(wish, READER)))
        found = sort_out(shlex.split(typed)[2:], COMMAND.known("magpie"))
        assert parse(joined(found.words), READER) == wish


def test_no_option_of_find_is_read_as_a_minus() -> None:
    for name in COMMAND.known("magpie").takes:
        if name.startswith("--"):
            with pytest.raises(WrongUse, match="can be read in two ways"):
                sort_out(["dog", name[1:]], COMMAND.known("magpie"))
