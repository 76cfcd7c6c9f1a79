"""Lines of the query language: any text, and lines that were printed from what can be asked."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checks.fuzzing import texts
from checks.fuzzing.target import Unsound
from index import HAS, SHOW, Reader, Sort, Unreadable, Wish, combined, parse, pointed, printed

LIMIT_S = 5.0
LOCALES = (
    "en-US",
    "en-GB",
    "en",
    "de",
    "fr",
    "es-ES",
    "pt-BR",
    "it",
    "ja",
    "pl",
    "C",
    "zz_ZZ.UTF-8",
)
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Africa/Cairo", "Pacific/Apia")
NEGATING = re.compile("w/o|wh?ith?out|withot|ohne|sans|sin|sem|senza", re.IGNORECASE)
# What a line is made of: the language's own parts, whole and broken, and what people write.
PARTS = (
    "from:", "-from:", "in:", "-in:", "after:", "before:", "on:", "since:", "until:", "during:",
    "has:", "-has:", "sort:", "show:", "query:", "image:", "without:", "-after:", "form:", "befor:",
    "srot:", "author:", "pinned:", "From: ", "from : ", "in：", "a:", ":", "::", "re:zero", ":cat:",
    "12:30", "https://a.example/x?y=z:1", "C:\\x", "\\", "\\\\", "\\-", "\\\"", "\\no", "\\from:x",
    "@ana", "#pets", "<@901>", "<@!901>", "<#10>", "\"Ana Maria\"", "\"", "“", "”", "„", "«", "»",
    "「", "」", "『", "＂", "\"\"", "\"a\"", "“b”", "'", "’", ",", "，", "、", ";", ".", "!", "…",
    "-", "−", "–", "—", "‑", "--", "->", "-_-", "-5", "-5°C", "-snow", "-\"red car\"", "–snow",
    "-snow,rain", "-@ana", "-#x", "- ", "t-shirt", "🐕", "-🐕", "👩‍💻", "犬", "雪なしの犬", "なし",
    "人のいない海岸", "は なし", "שלום", "-كلب", "é", "e\u0301", "\u0338", "\u200d", "क्‌ष",
    "no", "not", "but", "with", "without", "Without", "w/o", "without,", "(without",
    "dog-without-snow",
    "ohne", "kein", "sans", "pas de", "d'arbres", "sin", "sem", "não", "senza", "except",
    "excluding",
    "other than", "a", "the", "any", "and", "or", "nor", "in", "on", "parking", "sign", "dogs",
    "snow", "rain", "hat", "man", "5", "2024", "2024-05", "2024-05-31", "2024-13", "0000", "9999",
    "12.5.2024", "5/12/2024", "2024-05-01T10:00Z", "2024-05-01T10:00:00.5+02:00", "yesterday",
    "today", "tomorrow", "last", "week", "month", "3", "days", "ago", "monday", "may", "gestern",
    "hier", "昨日", "gif", "sticker", "gifs", "new", "old", "best", "latest", "me", "everyone",
    "only", "all", "zzz",
)  # fmt: skip
NAMES = (
    "@ana",
    "#pets",
    "<@901>",
    "Ana Maria",
    "a,b",
    "-x",
    '"',
    'x"y',
    "\\",
    "in:x",
    "C:\\new",
    "犬",
)


@dataclass(frozen=True, slots=True)
class Line:
    reader: Reader
    text: str
    options: dict[str, str]
    wish: Wish


class Lines:
    """A line is read or refused, a refusal's corrected line is read, and what is read is the same
    when it is printed and read again. No model is handed a "without"."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None: ...

    def make(self, rng: random.Random) -> Line:
        reader = _reader(rng)
        options = {"after": "last week", "without": "snow, ice"} if rng.random() < 0.05 else {}
        return Line(reader, soup(rng), options, _wish(rng))

    def run(self, subject: Line) -> str:
        _survives(subject.wish, subject.reader)
        line = combined(subject.text, subject.options)
        try:
            wish = parse(line, subject.reader)
        except Unreadable as refusal:
            _judge(refusal)
            _survives(parse(refusal.corrected, subject.reader), subject.reader)
            return "refused"
        _survives(wish, subject.reader)
        heard = [*wish.words.split(), *" ".join(wish.minus).split()]
        if any(word.casefold() == "without" for word in heard):
            raise Unsound(f"a model would be handed {heard}")
        return "read"

    def kept(self, subject: Line) -> bytes:
        return repr(subject).encode(errors="backslashreplace")

    def close(self) -> None: ...


def _judge(refusal: Unreadable) -> None:
    if not 0 <= refusal.start < refusal.end <= len(refusal.text):
        raise Unsound(f"the spot {refusal.start} to {refusal.end} is outside of {refusal.text!r}")
    if not refusal.reason or not pointed(refusal):
        raise Unsound("a refusal without a reason")


def _survives(wish: Wish, reader: Reader) -> None:
    """Print it and read it again, for everybody and for this reader."""
    for line in (printed(wish), printed(wish, reader)):
        try:
            again = parse(line, reader)
        except Unreadable as refusal:
            raise Unsound(f"{wish} is printed as {line!r}, which isn't read: {refusal}") from None
        if again != wish:
            raise Unsound(f"{wish} is printed as {line!r}, which is read as {again}")


def _reader(rng: random.Random) -> Reader:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(400 * 24 * 3600))
    return Reader(now.astimezone(ZoneInfo(rng.choice(ZONES))), rng.choice(LOCALES))


def soup(rng: random.Random) -> str:
    """Parts in any order, some of them stuck together, some damaged."""
    if rng.random() < 0.1:
        return texts.text(rng)
    line = ""
    for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 12, 30))):
        part = rng.choice(PARTS) if rng.random() < 0.95 else rng.choice(texts.PIECES)
        if rng.random() < 0.05 and part:
            at = rng.randrange(len(part))
            part = part[:at] + part[at + 1 :]
        line += part + rng.choice((" ", " ", " ", " ", ""))
    return line


def _wish(rng: random.Random) -> Wish:
    """Anything that can be asked, but for words that always negate: no line asks for them."""
    since, until = _limits(rng)
    has = rng.choice(((), ("gif",), ("gif", "sticker", "spoiler"), ("video", "file", "forward")))
    others = sorted(HAS.keys() - set(has))
    return Wish(
        words=_said(rng),
        minus=_some(rng, _said),
        exact=_some(rng, _written),
        authors=_some(rng, _named),
        not_authors=_some(rng, _named),
        places=_some(rng, _named),
        not_places=_some(rng, _named),
        since=since,
        until=until,
        has=frozenset(has),
        not_has=frozenset(rng.sample(others, rng.randrange(3))),
        sort=rng.choice((None, *Sort)),
        show=rng.choice((None, *SHOW)),
    )


def _written(rng: random.Random) -> str:
    """Words that may stand in a picture: with a letter or figure at least."""
    text = texts.text(rng, 40)
    return text if any(map(str.isalnum, text)) else f"{text}7"


def _some(rng: random.Random, make: Callable[[random.Random], str]) -> tuple[str, ...]:
    return tuple(make(rng) for _ in range(rng.choice((0, 0, 0, 1, 2))))


def _said(rng: random.Random) -> str:
    words = soup(rng).split()
    return " ".join(
        word for word in words if not NEGATING.search(unicodedata.normalize("NFKC", word))
    )


def _named(rng: random.Random) -> str:
    return rng.choice(NAMES) if rng.random() < 0.7 else texts.text(rng, 30)


def _limits(rng: random.Random) -> tuple[float | None, float | None]:
    """Two moments, the first before the second: midnights, seconds, fractions, or none."""
    first, last = sorted(_moment(rng) for _ in range(2))
    return rng.choice((None, first)), rng.choice((None, max(last, first + 1)))


def _moment(rng: random.Random) -> float:
    moment = rng.choice((rng.uniform(-6e10, 2.5e11), rng.uniform(1.4e9, 1.8e9)))
    day = 24 * 3600.0
    return rng.choice((moment, float(round(moment)), moment // day * day))
