"""What `find` says: an answer for people, for programs, and on a sheet to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console.output import counted, say, say_error
from index.cli import paths
from index.cli.hits import Found, Shown
from index.cli.question import Question
from index.types.filter import Sort
from index.types.records import Link, Verdict

# Other places of a picture that are named with it.
COPIES_SHOWN = 3
ORDERS = {Sort.BEST: "best first", Sort.NEWEST: "newest first", Sort.OLDEST: "oldest first"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, and what was found.

    image    the name of a picture that was asked with
    again    the command that shows guesses, too
    """

    question: Question
    image: str | None
    found: Found
    again: str

    @property
    def subject(self) -> str:
        """What was asked, for a sentence."""
        words = f"“{self.question.words}”" if self.question.words else ""
        parts = [words, f"{Path(self.image).name}" if self.image else ""]
        return " and ".join(filter(None, parts))

    @property
    def verdict(self) -> str:
        """How well the answer fits, as a sentence; "" where it surely does."""
        verdict, limits = self.found.answer.verdict, self.question.limits
        if not self.found.answer.searched:
            return self._nothing_to_search()
        if verdict is Verdict.SURE or (verdict is Verdict.UNSURE and not self.found.shown):
            return ""
        among = f" among what {limits} leaves" if limits else ""
        if verdict is Verdict.NOTHING:
            return f"Nothing here looks like {self.subject}{among}."
        if len(self.found.shown) == 1:
            return f"This may fit {self.subject}, but the model is not sure of it."
        return f"These may fit {self.subject}, but the model is not sure of any of them."

    @property
    def heading(self) -> str:
        """What stands above the hits, without a mark at its end; "" where they surely fit."""
        none_fits = self.found.answer.verdict is Verdict.NOTHING
        return f"{self.verdict[:-1]}{'; these come nearest' if none_fits else ''}".strip()

    def _nothing_to_search(self) -> str:
        if self.question.limits:
            verb = "says" if self.question.only_says else "fits"
            return f"Nothing in the gallery {verb} {self.question.limits}."
        return "Nothing of that kind is in the gallery."


def say_answer(outcome: Outcome) -> None:
    """Print it for people. raises OutputLost"""
    for line in notes(outcome):
        say(line)
    for line in _headings(outcome):
        say(line)
    shown = outcome.found.shown
    width = len(str(shown[-1].rank)) if shown else 0
    mixed = any(one.hit.sure for one in shown)
    for one in shown:
        doubt = " (perhaps)" if mixed and not one.hit.sure else ""
        say(f"{one.rank:>{width}}  {_key(outcome, one)}  {_described(one)}{doubt}")


def _key(outcome: Outcome, one: Shown) -> str:
    """What the order goes by: the score, or the date."""
    if outcome.subject and outcome.question.sort is Sort.BEST:
        return f"{one.hit.score:.3f}"
    return f"{datetime.fromtimestamp(one.link.posted_at):%Y-%m-%d}"


def say_beside(outcome: Outcome) -> None:
    """Say on the standard error what bare paths have no place for."""
    for line in notes(outcome):
        say_error(line)
    if not outcome.found.shown:
        for line in _headings(outcome):
            say_error(line)
    elif outcome.verdict:
        say_error(outcome.verdict)


def notes(outcome: Outcome) -> Iterator[str]:
    """How the question was understood."""
    if outcome.found.answer.truncated is not None:
        yield f"The question was too long for the model; it read: {outcome.found.answer.truncated}"
    yield from outcome.question.notes


def _headings(outcome: Outcome) -> Iterator[str]:
    """What stands above the hits, or in their place."""
    verdict = outcome.verdict
    if outcome.found.shown:
        if verdict:
            yield f"{outcome.heading}:"
        return
    if verdict:
        yield verdict
    told = outcome.found.answer
    if outcome.subject and told.searched and told.verdict is Verdict.NOTHING:
        yield "To see what comes nearest:"
        yield f"  {outcome.again}"


def _described(one: Shown) -> str:
    place = _place(one.link)
    if one.hit.kind == "text":
        place += f": {one.hit.text}"
    elif one.hit.clock:
        place += f" (at {one.hit.clock})"
    elif one.hit.frame:  # added before seconds were kept
        place += f" (frame {one.hit.frame + 1})"
    if one.hit.says:
        place += f" says “{one.hit.says}”"
    if not one.is_here:
        place += " (can't be read now; is its drive connected?)"
    if one.copies:
        named = ", ".join(_place(link) for link in one.copies[:COPIES_SHOWN])
        more = len(one.copies) - COPIES_SHOWN
        place += f" (also {named}{f' and {more:,} more' if more > 0 else ''})"
    return place


def _place(link: Link) -> str:
    return paths.short(link.source) + (f":{link.slot}" if link.slot else "")


# ---- for programs


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The answer as `find --json` prints it."""
    question, found = outcome.question, outcome.found
    return {
        "query": question.line,
        "minus": list(question.minus),
        "image": outcome.image,
        "confident": found.answer.confident,
        "verdict": found.answer.verdict.value,
        "took_ms": round(found.answer.took_ms, 2),
        "searched": found.answer.searched,
        "truncated": found.answer.truncated,
        "notes": list(question.notes),
        "gone": found.gone,
        "hits": [_hit_json(one) for one in found.shown],
    }


def _hit_json(one: Shown) -> dict[str, Any]:
    is_text = one.hit.kind == "text"
    line = {"line": int(one.link.slot), "text": one.hit.text} if is_text else {}
    copies = [
        {"path": link.source, "line": int(link.slot)} if is_text else link.source
        for link in one.copies
    ]
    return {
        "rank": one.rank,
        "score": round(one.hit.score, 5),
        "sure": one.hit.sure,
        "path": one.link.source,
        "changed": round(one.link.posted_at, 3),
        "kind": one.hit.kind,
        "frame": one.hit.frame,
        "says": one.hit.says,
        "second": one.hit.second,
        **line,
        "readable": one.is_here,
        "copies": copies,
    }


def files_here(found: Found) -> list[str]:
    """The files that can be read now; a text file once, however many of its lines were found."""
    return list(dict.fromkeys(one.link.source for one in found.shown if one.is_here))


# ---- looking


def write_sheet(outcome: Outcome, sheet: str) -> None:
    """Write the pictures of an answer on a sheet, and say so. raises WrongUse"""
    from index.cli.sheet import MOST_CARDS, Card, contact_sheet, write

    found = outcome.found
    cards = [
        Card(Path(one.link.source), one.hit.score, one.link.name, one.hit.frame)
        for one in found.shown
        if one.hit.kind == "image"
    ][:MOST_CARDS]
    if not cards:
        say_error(f"There is no picture to show on {sheet}; it was not written.")
        return
    title = " and ".join(
        part
        for part in (
            outcome.question.line,
            f"like {Path(outcome.image).name}" if outcome.image else "",
        )
        if part
    )
    many = f"the first {len(cards)}" if len(cards) > 1 else "the first"
    subtitle = f"{many} of {counted(found.answer.searched, 'picture')}"
    subtitle += f", {ORDERS[outcome.question.sort]}"
    if outcome.verdict:
        subtitle += f" · {outcome.verdict[:-1]}"
    write(contact_sheet(title, subtitle, cards), sheet)
    say_error(f"{sheet} shows {'them' if len(cards) > 1 else 'it'}.")
