"""A line that a person typed → what it asks for."""

from __future__ import annotations

import calendar
import difflib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

from index.language import dates, fields, negation, tongues
from index.language.dates import Doubtful, Span
from index.language.tokens import DASHES, STOPS, Token, Value, tokens
from index.language.unreadable import Problem, Unreadable
from index.language.wish import Reader, Wish, apart
from index.types.filter import Sort
from index.types.query import tidy
from index.types.sentences import Sentence

T = TypeVar("T")
# A line with more faults than this is none that somebody typed.
MOST_FAULTS = 12
# Exact words of a line, in quotation marks and in letters of all of them. Each is looked up in each
# channel that the asker may read: hundreds would keep everybody waiting for seconds.
MOST_EXACT, MOST_EXACT_LETTERS = 8, 200
# Words that a date has at most, such as "the day before yesterday".
_MOST_WORDS = 5
_DAYS_AND_MONTHS = [*calendar.day_name, *calendar.month_name[1:]]
# What a date says with a minus before it.
_TURNED = {"after": "until", "until": "after", "before": "since", "since": "before"}


def parse(text: str, reader: Reader) -> Wish:
    """What a line asks for, as this reader means it.

    It takes about a millisecond. The first date in words takes up to 200 ms a language, since it is
    loaded then: call it in a thread where that matters.

    raises   Unreadable when a part of it can't be read with certainty
    """
    text = tidy(text)
    try:
        return _read(text, reader)
    except Problem as problem:
        corrected = _corrected(text, problem, reader)
        start, end = problem.start, problem.end
        raise Unreadable(text, start, end, problem.reason, corrected) from None


def _corrected(text: str, problem: Problem, reader: Reader) -> str:
    """The line with each fault mended, one after the other."""
    for _ in range(MOST_FAULTS):
        text = tidy(problem.fixed(text))
        try:
            _read(text, reader)
        except Problem as another:
            problem = another
        else:
            return text
    return ""


def _read(text: str, reader: Reader) -> Wish:
    """raises Problem"""
    line = _Line(text, reader)
    for part in line.rest_of_parts():
        if part.kind == "field":
            _READERS[part.field](line, part)
        elif part.signed:
            line.minus += _minus(part, reader)
        if part.field != "query":
            line.parts_in_words.append(part)
    return line.wish()


@dataclass(frozen=True, slots=True)
class _Limit:
    """A moment that a date sets as a limit.

    begins   when the date itself begins
    value    where it stands in the line, up to `end`
    """

    seconds: float
    begins: datetime
    part: Token
    value: int
    end: int


class _Line:
    """A line, and what has been read of it so far."""

    def __init__(self, text: str, reader: Reader) -> None:
        self.text = text
        self.reader = reader
        self.minus: list[str] = []
        self.names: dict[str, list[str]] = {"from": [], "-from": [], "in": [], "-in": []}
        self.has: set[str] = set()
        self.not_has: set[str] = set()
        self.limits: dict[str, _Limit] = {}  # "since" and "until"
        self.sort: tuple[Sort, Token] | None = None
        self.show: tuple[str, Token] | None = None
        self.parts_in_words: list[Token] = []
        self._parts = list(tokens(text))
        self._at = 0

    def rest_of_parts(self) -> Iterator[Token]:
        while self._at < len(self._parts):
            self._at += 1
            yield self._parts[self._at - 1]

    def words_ahead(self, most: int) -> list[Token]:
        """The plain words that follow."""
        found = []
        for part in self._parts[self._at : self._at + most]:
            if part.kind != "word" or part.signed or part.escaped:
                break
            found.append(part)
        return found

    def take(self, count: int) -> None:
        """Read over the next parts, which belong to a field."""
        self._at += count

    def limit(self, side: str, limit: _Limit) -> None:
        """Note a limit of the time, if it is narrower than one before it.

        raises   Problem if nothing can lie between the limits
        """
        earlier = self.limits.get(side)
        narrower = max if side == "since" else min
        if earlier is None or narrower(earlier.seconds, limit.seconds) != earlier.seconds:
            self.limits[side] = limit
        since, until = self.limits.get("since"), self.limits.get("until")
        if since and until and since.seconds >= until.seconds:
            _refuse_contradiction(self, since, until)

    def typed(self, limit: _Limit) -> str:
        return self.text[limit.part.start : limit.end]

    def wish(self) -> Wish:
        """raises Problem"""
        found = negation.without(self.parts_in_words, self.text, self.reader)
        unsigned = [part for part in found.rest if not part.signed]
        exact = [part for part in unsigned if part.kind == "quoted"]
        _refuse_what_no_picture_says(exact)
        return Wish(
            words=" ".join(part.text for part in unsigned if part.kind == "word"),
            minus=(*self.minus, *found.minus),
            exact=tuple(part.text for part in exact),
            authors=tuple(self.names["from"]),
            not_authors=tuple(self.names["-from"]),
            places=tuple(self.names["in"]),
            not_places=tuple(self.names["-in"]),
            since=self.limits["since"].seconds if "since" in self.limits else None,
            until=self.limits["until"].seconds if "until" in self.limits else None,
            has=frozenset(self.has),
            not_has=frozenset(self.not_has),
            sort=self.sort and self.sort[0],
            show=self.show and self.show[0],
            understood=tuple(found.understood),
        )


def _refuse_what_no_picture_says(exact: Sequence[Token]) -> None:
    """raises Problem where exact words can't be looked for"""
    letters = 0
    for number, part in enumerate(exact, start=1):
        if not any(map(str.isalnum, part.text)):
            reason = Sentence("Only letters and figures are read in pictures; here are none.")
            raise Problem(part.start, part.end, reason)
        letters += len(part.text)
        if number > MOST_EXACT:
            reason = Sentence(
                "Exact words can stand in {n} pairs of quotation marks at most.", n=MOST_EXACT
            )
            raise Problem(part.start, part.end, reason)
        if letters > MOST_EXACT_LETTERS:
            reason = Sentence(
                "Exact words can have {n} letters at most, all together.", n=MOST_EXACT_LETTERS
            )
            raise Problem(part.start, part.end, reason)


def _minus(part: Token, reader: Reader) -> list[str]:
    """What a part with a minus says not to show."""
    values = part.values or (Value(part.text, part.start, part.end, quoted=True),)
    for value in values:
        for sign, field in (("@", "from"), ("<@", "from"), ("#", "in"), ("<#", "in")):
            if value.text.startswith(sign) and not value.quoted:
                instead = f"-{field}:{value.text}"
                reason = Sentence("To leave this out, write {field}.", field=instead)
                raise Problem(part.start, part.end, reason, instead)
        negation.refuse_twice(value.text, part, tongues.read_by(reader))
    return [value.text for value in values]


# ---- fields


def _refuse(part: Token, reason: Sentence, instead: str = "") -> NoReturn:
    """raises Problem about a whole field"""
    raise Problem(part.start, part.end, reason, instead)


def _values(part: Token, example: str) -> tuple[Value, ...]:
    """The values of a field.

    raises   Problem if it has none
    """
    if not part.values:
        reason = Sentence(
            "Nothing stands behind {field}:. Write {example}, or leave it out.",
            field=part.text,
            example=example,
        )
        _refuse(part, reason)
    for value in part.values:
        if value.text[0] in DASHES and not value.quoted:
            reason = Sentence("The minus stands before {field}:, not behind it.", field=part.text)
            _refuse(part, reason, _written(part, value.text.lstrip(DASHES), sign="-"))
    return part.values


def _written(part: Token, value: str, sign: str | None = None) -> str:
    """A field with another value or sign; "" where there is no value."""
    sign = ("-" if part.signed else "") if sign is None else sign
    return f"{sign}{part.text}:{value}" if value else ""


def _unsigned(line: _Line, part: Token) -> None:
    """raises Problem if a minus stands before a field that takes none"""
    if part.signed:
        _refuse(part, _no_minus(part), _behind_minus(line, part))


def _no_minus(part: Token) -> Sentence:
    return Sentence("{field}: takes no minus.", field=part.text)


def _behind_minus(line: _Line, part: Token) -> str:
    return line.text[part.start : part.end].lstrip(DASHES)


def _name(line: _Line, part: Token) -> None:
    example = "from:@ana" if part.field == "from" else "in:#pets"
    values = _values(part, example)
    line.names["-" * part.signed + part.field] += [value.text for value in values]


def _known(part: Token, value: Value, names: Mapping[str, T], needs: Sentence) -> T:
    """What a value means.

    raises   Problem if nobody knows it
    """
    text = value.text.lower().rstrip(STOPS)
    if text in names:
        return names[text]
    meant = fields.MEANT_VALUES[part.field]
    near = difflib.get_close_matches(text, [*names, *meant], cutoff=0.65)
    # Of those that are equally near, one of the same length: “nwe” is “new”, and not “newest”.
    near.sort(key=lambda one: (-_likeness(text, one), abs(len(one) - len(text))))
    instead = meant.get(text) or next((meant.get(one, one) for one in near), "")
    reason = Sentence(
        "“{typed}” is nothing that {field}: knows; it knows {known}.",
        typed=value.text,
        field=part.text,
        known=needs,
    )
    raise _about(part, value, reason, instead)


def _likeness(typed: str, known: str) -> float:
    return difflib.SequenceMatcher(None, known, typed).ratio()


def _about(part: Token, value: Value, reason: Sentence, instead: str = "") -> Problem:
    """A problem with one of a field's values, which leaves the others as they are."""
    kept = [instead if one is value else one.text for one in part.values]
    written = _written(part, ",".join(filter(None, kept)))
    return Problem(value.start, value.end, reason, written, fix=(part.start, part.end))


def _has(line: _Line, part: Token) -> None:
    for value in _values(part, "has:gif"):
        needs = Sentence("image, gif, video, sticker, link, file, spoiler and forward")
        kind = _known(part, value, fields.KINDS, needs)
        ours, others = (line.not_has, line.has) if part.signed else (line.has, line.not_has)
        if kind in others:
            reason = Sentence("The line asks for {kind} and against it.", kind=kind)
            raise _about(part, value, reason)
        for other in line.has:
            if not part.signed and kind != other and apart((kind, other)):
                reason = Sentence(
                    "No picture is both {one} and {other}, and has: asks for all at once.",
                    one=other,
                    other=kind,
                )
                raise _about(part, value, reason)
        ours.add(kind)


def _once(part: Token, earlier: tuple[T, Token] | None, value: T) -> tuple[T, Token]:
    """raises Problem if the line said something else before"""
    if earlier and earlier[0] != value:
        before = earlier[1]
        reason = Sentence("{field}: is said twice, in two ways.", field=part.text)
        raise Problem(part.start, part.end, reason, fix=(before.start, before.end))
    return value, part


def _sort(line: _Line, part: Token) -> None:
    _unsigned(line, part)
    for value in _values(part, "sort:new"):
        needs = Sentence("best, new and old")
        line.sort = _once(part, line.sort, _known(part, value, fields.SORTS, needs))


def _show(line: _Line, part: Token) -> None:
    _unsigned(line, part)
    for value in _values(part, "show:everyone"):
        ahead = line.words_ahead(1)
        if value.text.lower() == "only" and ahead and ahead[0].text.lower() == "me":
            line.take(1)
            value = Value("me", value.start, ahead[0].end)
        known = _known(part, value, fields.SHOWN_TO, Sentence("me and everyone"))
        line.show = _once(part, line.show, known)


def _without(line: _Line, part: Token) -> None:
    _unsigned(line, part)
    for value in _values(part, "without:snow"):
        line.minus += _minus(Token("quoted", value.text, part.start, part.end, True), line.reader)


def _image(line: _Line, part: Token) -> None:
    reason = Sentence(
        "A picture can't be written into a line: attach it to your message, or hand it over in "
        "the option {image}.",
        image=Sentence("image"),
    )
    _refuse(part, reason)


def _query(line: _Line, part: Token) -> None:
    """What follows are the words, as in the option of this name."""
    _unsigned(line, part)


# ---- dates


def _date(line: _Line, part: Token) -> None:
    if part.signed:
        turned = _TURNED.get(part.field, part.text)
        _refuse(part, _no_minus(part), turned + _behind_minus(line, part)[len(part.text) :])
    value = _values(part, f"{part.text}:2024-05")[0]
    span, end = _span(line, part, value)
    _refuse_future(line, part, span, end)
    since = {"on": span.start, "since": span.start, "after": span.end}.get(part.field)
    until = {"on": span.end, "until": span.end, "before": span.start}.get(part.field)
    if since is not None:
        line.limit("since", _Limit(dates.seconds(since), span.start, part, value.start, end))
    if until is not None:
        line.limit("until", _Limit(dates.seconds(until), span.start, part, value.start, end))


def _span(line: _Line, part: Token, value: Value) -> tuple[Span, int]:
    """The time that a field names, with the words that belong to it, and where they end."""
    ahead = [] if value.quoted else line.words_ahead(_MOST_WORDS)
    try:
        read = [dates.span(value.text, line.reader)]
        if read[0] and not _has_letters(value.text):
            # After a day in figures comes a time of day at most: "2024 sun" is a year and a word.
            ahead = list(itertools.takewhile(lambda word: not _has_letters(word.text), ahead))
        texts = (line.text[value.start : word.end] for word in ahead)
        read += [dates.span(text, line.reader) for text in texts]
    except Doubtful as doubt:
        instead = _written(part, doubt.readings[0]) if doubt.readings else ""
        fix = (part.start, part.end)
        raise Problem(value.start, value.end, doubt.reason, instead, fix) from None
    ends = [value.end, *(word.end for word in ahead)]
    words = max((count for count, span in enumerate(read) if span), default=None)
    if words is None:
        _refuse_date(line, part, value, ends)
    # Small words that change nothing are no part of the date: "monday in".
    while words and read[words - 1] == read[words] and _is_small(ahead[words - 1], line):
        words -= 1
    if _has_letters(value.text) and ahead[words:] and ahead[words].text.strip(STOPS).isdigit():
        end = ahead[words].end
        reason = Sentence("“{typed}” is no date.", typed=line.text[value.start : end])
        raise Problem(value.start, end, reason, fix=(ends[words], end))
    line.take(words)
    span = read[words]
    assert span is not None
    return span, ends[words]


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _is_small(word: Token, line: _Line) -> bool:
    return negation.is_small(word.text, line.reader)


def _refuse_date(line: _Line, part: Token, value: Value, ends: list[int]) -> NoReturn:
    known = [date for tongue in tongues.read_by(line.reader) for date in tongue.dates]
    known = [name.lower() for name in (*known, *_DAYS_AND_MONTHS)]
    typed = {end: line.text[value.start : end].lower().strip('"') for end in ends}
    alike = [
        (difflib.SequenceMatcher(None, text, near[0]).ratio(), end, near[0])
        for end, text in typed.items()
        if (near := difflib.get_close_matches(text, known, n=1, cutoff=0.75))
    ]
    if alike:
        _, end, nearest = max(alike)
        instead = _written(part, f'"{nearest}"' if value.quoted else nearest)
        raise Problem(value.start, end, _no_date(typed[end]), instead, (part.start, end))
    raise Problem(value.start, value.end, _no_date(value.text), fix=(part.start, part.end))


def _no_date(text: str) -> Sentence:
    return Sentence(
        "“{typed}” is no date. Write it as 2024-05-31, 2024-05 or 2024, or in words, such as "
        "yesterday or last week.",
        typed=text,
    )


def _refuse_future(line: _Line, part: Token, span: Span, end: int) -> None:
    """raises Problem about a time from which there can be no picture yet"""
    typed = line.text[part.values[0].start : end]
    now, name = line.reader.now, (part.start, part.start + len(part.text))
    if span.is_moment:
        if part.field == "on":
            reason = Sentence("{typed} is a moment; on: needs a day.", typed=typed)
            raise Problem(*name, reason, "since")
    elif part.field in ("after", "on", "since") and span.start > now:
        reason = Sentence("{typed} is in the future, so no picture is from then.", typed=typed)
        raise Problem(part.start, end, reason)
    elif part.field == "after" and span.end > now:
        reason = Sentence("{typed} isn't over yet, so no picture is from after it.", typed=typed)
        raise Problem(part.start, end, reason, "since", name)


def _refuse_contradiction(line: _Line, since: _Limit, until: _Limit) -> NoReturn:
    """raises Problem about two dates between which nothing lies"""
    first, second = sorted((since, until), key=lambda limit: limit.part.start)
    reason = Sentence(
        "Nothing can be both {first} and {second}.",
        first=line.typed(first),
        second=line.typed(second),
    )
    if "on" in (first.part.field, second.part.field):
        raise Problem(second.part.start, second.end, reason)
    # They are the wrong way round, or leave out what they were to enclose.
    low, high = sorted((since, until), key=lambda limit: limit.begins)
    names = {id(low): "since", id(high): "until"}
    written = [f"{names[id(one)]}:{line.text[one.value : one.end]}" for one in (first, second)]
    between = line.text[first.end : second.part.start]
    fix = (first.part.start, second.end)
    raise Problem(second.part.start, second.end, reason, between.join(written), fix)


_READERS: Mapping[str, Callable[[_Line, Token], None]] = {
    "from": _name,
    "in": _name,
    "has": _has,
    "sort": _sort,
    "show": _show,
    "without": _without,
    "image": _image,
    "query": _query,
    **dict.fromkeys(fields.DATES, _date),
}
