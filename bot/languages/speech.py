"""Sentences, counts and dates in the language of who reads them.

The language belongs to the task that makes an answer, and to the tasks that it begins: an
interaction speaks the language of its asker, a public answer that of the server. A sentence is
written in English where it is used, and that text is its key in the catalogues of the others
(`catalogues/de.po`). What a catalogue lacks is said in English.

Sentences of `index` come in English and know what they are made of; `said` says them.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache, lru_cache, reduce
from importlib import resources
from types import MappingProxyType
from typing import Any

from babel import Locale, dates, lists, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from discord import Locale as DiscordLocale
from discord.app_commands import locale_str

from index import Sentence

ENGLISH = "en"
# Each language, and how it writes dates and numbers. Magpie's English is British.
LOCALES: Mapping[str, Locale] = MappingProxyType(
    {
        ENGLISH: Locale("en", "GB"),
        "de": Locale("de"),
        "es": Locale("es"),
        "fr": Locale("fr"),
        "ja": Locale("ja"),
        "pt": Locale("pt", "BR"),
    }
)
TRANSLATED = tuple(language for language in LOCALES if language != ENGLISH)

_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


def language_of(locale: DiscordLocale | str) -> str:
    """The language to speak to a reader whose Discord has this locale, such as "es-419"."""
    language = str(locale).partition("-")[0]
    return language if language in LOCALES else ENGLISH


def speak(locale: DiscordLocale | str) -> None:
    """Speak the language of a locale in the rest of this task."""
    _spoken.set(language_of(locale))


@contextmanager
def speaking(locale: DiscordLocale | str) -> Iterator[None]:
    """Speak the language of a locale within the block."""
    token = _spoken.set(language_of(locale))
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """The language that is spoken now, such as "de"."""
    return _spoken.get()


def _(message: str) -> str:
    """A sentence in the language that is spoken now. Names in braces are filled in afterwards."""
    return _catalogue(_spoken.get()).gettext(message)


def plural(one: str, many: str, count: int) -> str:
    """One of two sentences, by a count, with the count in place of `{n}`."""
    return _catalogue(_spoken.get()).ngettext(one, many, count).replace("{n}", number(count))


def said(sentence: str) -> str:
    """A sentence of `index` in the language that is spoken now; any other text as it is."""
    return sentence.said(_, _written) if isinstance(sentence, Sentence) else sentence


def _written(value: Any) -> str:
    """A value of a sentence, as the language writes it."""
    if isinstance(value, str):
        return said(value)
    return number(value, decimals=None) if isinstance(value, int | float) else str(value)


def marked(message: str, **values: Any) -> locale_str:
    """A name or a description of a command, which Discord gets in all languages at once.

    values   stand where the message has their names in braces
    """
    return locale_str(Sentence(message, **values))


def number(value: float, *, decimals: int | None = 0) -> str:
    """A number with the signs of the language: 1,234.5 or 1.234,5.

    decimals   None: as many as it has, at most three
    """
    return _number(_spoken.get(), value, decimals)


# A page says some numbers and dates, each of which takes Babel 20 to 50 µs.
@lru_cache(maxsize=4096)
def _number(language: str, value: float, decimals: int | None) -> str:
    places = ".###" if decimals is None else "." + "0" * decimals if decimals else ""
    return numbers.format_decimal(value, format=f"#,##0{places}", locale=LOCALES[language])


def day(moment: date) -> str:
    """A date as plain text, where Discord shows no date of its own: "3 May 2024"."""
    return _day(_spoken.get(), date(moment.year, moment.month, moment.day))


@lru_cache(maxsize=4096)
def _day(language: str, moment: date) -> str:
    return dates.format_date(moment, format="long", locale=LOCALES[language])


def name_of_language(locale: DiscordLocale | str) -> str:
    """What the language is called that a locale is spoken to in: "German", "allemand"."""
    return LOCALES[language_of(locale)].get_language_name(LOCALES[_spoken.get()]) or str(locale)


def both(parts: Iterable[str]) -> str:
    """All of the parts, as the language lists them: "a, b and c"."""
    return lists.format_list(list(parts), locale=LOCALES[_spoken.get()])


def either(parts: Iterable[str]) -> str:
    """One of the parts, as the language lists them: "a, b or c"."""
    return lists.format_list(list(parts), style="or", locale=LOCALES[_spoken.get()])


def listed(parts: Iterable[str]) -> str:
    """The parts in a row, without an "and": "a, b, c"."""
    return _(", ").join(parts)


def joined(*sentences: str) -> str:
    """Sentences one after the other; Japanese writes no blank between them."""
    return reduce(lambda text, one: _("{first} {second}").format(first=text, second=one), sentences)


def load() -> None:
    """Read all catalogues, and how the languages write numbers and dates. That takes some tenths of
    a second; otherwise it would be the first sentence in a language that waits."""
    for language in LOCALES:
        with speaking(language):
            plural("{n} picture", "{n} pictures", 1)
            day(date(2000, 1, 1))
            both(("", ""))


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    file = resources.files("bot.languages") / "catalogues" / f"{language}.po"
    with file.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
