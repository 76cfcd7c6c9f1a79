"""Tells options from words, before the library reads them, and says what is wrong in our words.

Options may stand anywhere among the words. `--` ends them: what is behind it is words. In a command
with minus-words, a word that begins with one dash is a word ("less of this"), if it is no option:

    -k 5, -k5, -0, -h     options
    -snow, -"red car"     words
    -x, -20               neither: one letter, or a number, is a slip of an option
    -sheet                neither: it may mean --sheet, or less of sheets, so the person must say
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from console.exits import WrongUse
from console.output import harmless

# How like a known name an unknown one must be to be a slip of it, as difflib measures.
NEAR = 0.7


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a command.

    program   how the command is called, for sentences
    takes     each name, with the word for its value, such as "FILE"; None for one without a value
    minus     whether words may begin with a dash
    """

    program: str
    takes: Mapping[str, str | None]
    minus: bool = False


@dataclass(slots=True)
class Sorted:
    """Arguments in two parts: options, each with its value if it has one, and words."""

    options: list[tuple[str, ...]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def sort_out(arguments: Sequence[str], known: Options) -> Sorted:
    """The arguments, sorted into options and words.

    raises   WrongUse
    """
    result, waiting = Sorted(), list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            result.words += waiting
            break
        option = _option(argument, known)
        if option is None:
            result.words.append(argument)
        else:
            result.options.append(_with_value(*option, waiting, known))
    return result


def split(arguments: Sequence[str], takes: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """What stands before the first word, and the rest.

    takes   the options of all commands, see `Options`: their values are no words
    """
    i = 0
    while i < len(arguments) and arguments[i].startswith("-") and len(arguments[i]) > 1:
        if arguments[i] == "--":
            return list(arguments[:i]), list(arguments[i + 1 :])
        i += 2 if takes.get(arguments[i]) else 1
    return list(arguments[:i]), list(arguments[i:])


def _option(argument: str, known: Options) -> tuple[str, str | None] | None:
    """The option that this is, with the value that is written in one with it; None for a word.

    raises   WrongUse for what may be an option, and is none
    """
    if not argument.startswith("-") or argument == "-":
        return None
    if argument in known.takes:
        return argument, None
    name, equals, value = argument.partition("=")
    if name in known.takes and equals:
        return name, value
    if argument.startswith("--"):
        raise WrongUse(_unknown(name, known))
    if known.takes.get(argument[:2]) and (argument[2].isdecimal() or not known.minus):
        return argument[:2], argument[2:]
    if not known.minus or _is_slip(argument[1:]):
        raise WrongUse(_unknown(argument, known))
    if f"-{name}" in known.takes:
        raise WrongUse(_ambiguous(name, known))
    return None


def _with_value(
    name: str, value: str | None, waiting: list[str], known: Options
) -> tuple[str, ...]:
    """The option with its value, which may be the next argument. raises WrongUse"""
    wanted = known.takes[name]
    if wanted is None:
        if value is not None:
            raise WrongUse(f"{name} stands alone: write it without “={harmless(value)}”.")
        return (name,)
    if value is not None:
        return name, value
    if not waiting or waiting[0] == "--" or waiting[0] in known.takes:
        option = bool(waiting) and waiting[0] != "--"
        found = f"what came next is the option {waiting[0]}" if option else "nothing came"
        raise WrongUse(f"{name} needs {wanted} behind it; {found}.")
    return name, waiting.pop(0)


def _is_slip(word: str) -> bool:
    """Whether nobody means this as a word: one Latin letter, or a number."""
    return word.isdecimal() or (len(word) == 1 and word.isascii())


def _unknown(name: str, known: Options) -> str:
    sentence = f"{known.program} has no option {harmless(name)}{meant(name, known.takes)}"
    word = harmless(name.lstrip("-"))
    if not known.minus or not word:
        return sentence
    if word.isdecimal():
        return f"{sentence} For {word} results, write -k {word}."
    return f"{sentence} For less of “{word}”, write --without {word}."


def _ambiguous(name: str, known: Options) -> str:
    word = name[1:]
    value = known.takes[f"-{name}"]
    option = f"-{name} {value}" if value else f"-{name}"
    return (
        f"{name} can be read in two ways. For the option, write {option}. "
        f"For less of “{word}”, write --without {word}."
    )


def meant(name: str, known: Collection[str]) -> str:
    """How a sentence about an unknown name ends: with the known ones that look like it."""
    bare = {one.lstrip("-"): one for one in known if len(one) > 2}
    typed = name.lstrip("-")
    near = [one for word, one in bare.items() if len(typed) > 1 and word.startswith(typed)]
    near = near or [bare[word] for word in difflib.get_close_matches(typed, bare, 2, NEAR)]
    return f"; did you mean {' or '.join(near[:3])}?" if near else "."
