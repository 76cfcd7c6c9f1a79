"""A line → words, quoted words, and fields such as `from:@ana`.

A backslash makes what follows it an ordinary letter: `\\-dog` and `\\"` are words, and so is
`\\from:here`.
"""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from index.language import fields
from index.language.unreadable import Problem
from index.types.sentences import Sentence

# Quotation marks of many keyboards: what opens, and what then closes.
_CLOSING = {
    '"': '"＂', "＂": '"＂',
    "“": "”“\"", "”": "”\"", "„": "“”\"", "‟": "”\"",
    "«": "»", "»": "«", "‹": "›", "›": "‹",
    "「": "」", "『": "』",
}  # fmt: skip
QUOTES = "".join(sorted({*_CLOSING, *"".join(_CLOSING.values())}))
# A corner bracket opens also within a word, since Japanese has no blanks.
_CORNERS = "「『"
# The ASCII hyphen and what keyboards make of it.
DASHES = "-−–—‑‐﹣－"
_DASH = f"[{re.escape(DASHES)}]"
_COLON = "[:：]"
_ESCAPED = re.compile(r"\\([\\「『])")
# A word, with pairs of a backslash and a letter in it.
_WORD = re.compile(rf"(?:\\\S)?(?:\\[\\{_CORNERS}]|[^\s{_CORNERS}])*")
_FIELD = re.compile(rf"({_DASH}*)([^\W\d_]+)(?:{_COLON} ?| {_COLON}(?: |$))")
# Fields whose value is the whole text up to the next blank; in others commas separate several.
_WHOLE = {*fields.DATES, "image"}
# A value that isn't quoted.
_VALUE = re.compile(r"[^\s,，、]+")
_COMMA = re.compile("[,，、]")
# -5 and -5°C are numbers, not "less of 5".
_NUMBER = re.compile(rf"{_DASH}\d[\d.,:]*\W*[^\W\d]{{0,2}}")
# How a date in words begins, as far as it tells a misspelt field from other words with a colon.
_DATE_WORDS = {name.lower() for name in (*calendar.day_name, *calendar.month_name[1:])}
_DATE_WORDS |= {"today", "yesterday", "last", "this"}
STOPS = ",;.!?、。，！？"  # signs that may follow a word and are no part of it


@dataclass(frozen=True, slots=True)
class Value:
    """What stands behind a field's colon, or one of several."""

    text: str
    start: int
    end: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a line.

    kind     "word", "quoted" or "field"
    text     the word or the quoted words, without backslashes; a field's name as it was typed
    signed   a minus stands before it
    values   of a field; of a word with a minus, its words between commas
    escaped  a word that began with a backslash
    """

    kind: Literal["word", "quoted", "field"]
    text: str
    start: int
    end: int
    signed: bool = False
    values: tuple[Value, ...] = ()
    escaped: bool = False

    @property
    def field(self) -> str:
        """The field that it is; "" for a word."""
        return fields.FIELDS[self.text.lower()] if self.kind == "field" else ""


def tokens(text: str) -> Iterator[Token]:
    """The parts of a line with single blanks.

    raises   Problem where a part can't be read
    """
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        token = _token(text, at)
        yield token
        at = token.end


def _token(text: str, at: int) -> Token:
    named = _FIELD.match(text, at)
    if named and named[2].lower() in fields.FIELDS:
        return _field(text, named)
    if text[at] in _CLOSING:
        value = _quoted(text, at)
        return Token("quoted", value.text, at, value.end)
    dashes = re.compile(f"{_DASH}+").match(text, at)
    if dashes and not _NUMBER.fullmatch(_word_at(text, at)):
        signed = _signed(text, at, dashes.end())
        if signed:
            return signed
    if named:
        _refuse_misspelt(text, named)
    word = _word_at(text, at)
    return Token("word", _plain(word), at, at + len(word), escaped=_is_escaped(word))


def _word_at(text: str, at: int) -> str:
    found = _WORD.match(text, at)
    return found[0] if found and found[0] else text[at]


def _signed(text: str, at: int, behind: int) -> Token | None:
    """What a minus stands before; None where it's no minus, as in an arrow."""
    after = text[behind : behind + 1]
    if after in ("", " "):
        if text[at:behind] not in ("-", "−", "－"):
            return None  # a dash between words
        reason = Sentence("A minus stands directly before the word that it leaves out.")
        raise Problem(
            at, behind, reason, fix=(at, behind + len(after)), instead=_minus(text, behind)
        )
    if after in _CLOSING:
        value = _quoted(text, behind)
        return Token("quoted", value.text, at, value.end, signed=True)
    word = _word_at(text, behind)
    if not word.lstrip(":<#@\\")[:1].isalnum() and after.isascii():
        return None
    end = behind + len(word)
    parts = _parts(text, behind, end)
    return Token("word", _plain(word), at, end, signed=True, values=parts) if parts else None


def _minus(text: str, behind: int) -> str:
    """The minus that belongs to the next word, where there is one."""
    after = text[behind + 1 : behind + 2]
    return "-" if after.isalpha() or (after and after in _CLOSING) else ""


def _parts(text: str, start: int, end: int) -> tuple[Value, ...]:
    """The words between the commas of a word."""
    found = []
    for part in _VALUE.finditer(text, start, end):
        plain = _plain(part[0].rstrip(STOPS))
        if plain:
            found.append(Value(plain, part.start(), part.end()))
    return tuple(found)


def _quoted(text: str, at: int) -> Value:
    """The quoted words that begin here."""
    closers = _CLOSING[text[at]]
    end = _closed(text, at, closers)
    if end == len(text) and closers[0] == '"':
        end = _closed(text, at, "”“")  # a phone that made only one of them typographic
    if end == len(text):
        reason = Sentence("The quotation mark {mark} is never closed.", mark=text[at])
        raise Problem(at, at + 1, reason, closers[0], fix=(len(text), len(text)))
    inside = re.sub(r"\\(.)", _unescaped, text[at + 1 : end]).strip()
    if not inside:
        raise Problem(at, end + 1, Sentence("Nothing stands between these quotation marks."))
    return Value(inside, at, end + 1, quoted=True)


def _closed(text: str, at: int, closers: str) -> int:
    """Where the quotation mark here is closed by one of these; the text's end if it isn't."""
    inside = re.compile(rf"(?:\\.|[^{re.escape(closers)}])*").match(text, at + 1)
    return inside.end() if inside else at + 1


def _unescaped(pair: re.Match[str]) -> str:
    return pair[1] if pair[1] in QUOTES + "\\" else pair[0]


def _plain(word: str) -> str:
    """A word without the backslashes that only make it one."""
    first, rest = (word[1], word[2:]) if _is_escaped(word) else ("", word)
    return first + _ESCAPED.sub(r"\1", rest)


def _is_escaped(word: str) -> bool:
    return len(word) > 1 and word[0] == "\\"


def _field(text: str, named: re.Match[str]) -> Token:
    values: list[Value] = []
    at = named.end()
    name = fields.FIELDS[named[2].lower()]
    pattern = re.compile(r"\S+") if name in _WHOLE else _VALUE
    if name == "query":  # its value is words, which are read as such
        return Token("field", named[2], named.start(), _shown(text, at), bool(named[1]))
    while at < len(text) and text[at] != " ":
        if text[at] in _CLOSING:
            values.append(_quoted(text, at))
        elif found := pattern.match(text, at):
            if text[at - 1] == " " and _begins_another(text, at):
                break
            values.append(Value(found[0], at, found.end()))
        else:
            break
        at = values[-1].end
        if not (comma := _COMMA.match(text, at)):
            break
        at = comma.end()
        if text[at : at + 2].strip()[:1] in ("@", "#", "<"):
            at += text[at] == " "
    end = _shown(text, at)
    return Token("field", named[2], named.start(), end, bool(named[1]), tuple(values))


def _shown(text: str, end: int) -> int:
    """The same place without a blank before it."""
    return end - (text[end - 1] == " ")


def _begins_another(text: str, at: int) -> bool:
    """Whether the text from here on is a part of its own, behind a field without a value."""
    named = _FIELD.match(text, at)
    return text[at] in DASHES or bool(named and named[2].lower() in fields.FIELDS)


def _refuse_misspelt(text: str, named: re.Match[str]) -> None:
    """Refuse what is surely a field that is written in another way.

    Other words with a colon are words: `re:zero`, `snow:white`.
    """
    typed, at = named[2].lower(), named.end()
    value = _word_at(text, at) if at < len(text) and text[at] != " " else ""
    stuck = text[at - 1] != " "
    start, end = named.start(2), named.end(2)
    meant = fields.MEANT.get(typed)
    if meant and _fits(meant, value):
        reason = Sentence(
            "There is no {typed}: here; it is called {known}:.", typed=typed, known=meant
        )
        raise Problem(start, end, reason, meant)
    if meant == "" and value and stuck:
        reason = Sentence("Magpie doesn't know {typed}:.", typed=typed)
        raise Problem(start, at + len(value), reason)
    for near in difflib.get_close_matches(typed, fields.FIELDS, n=3, cutoff=0.65):
        if _fits(fields.FIELDS[near], value):
            reason = Sentence(
                "There is no {typed}: here. Did you mean {known}:?", typed=typed, known=near
            )
            raise Problem(start, end, reason, near)


def _fits(field: str, value: str) -> bool:
    """Whether a value is surely one for this field."""
    value = value.lower()
    if field == "from":
        return value[:1] == "@" or value[:2] == "<@"
    if field == "in":
        return value[:1] == "#" or value[:2] == "<#"
    if field in fields.DATES:
        return value in _DATE_WORDS or bool(re.match(r"\d{4}\b|\d+[-./]\d", value))
    if field == "has":
        return value in fields.KINDS
    if field == "sort":
        return value in fields.SORTS
    return field == "show" and value in fields.SHOWN_TO
