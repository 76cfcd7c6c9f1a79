"""The sentences of the source, and the catalogues with a place for each of them.

For developers: `python -m bot.languages` after a change of sentences.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parents[2]
CATALOGUES = Path(__file__).resolve().parent / "catalogues"
FOLDERS = ("bot", "index")  # in which there are sentences for members
# What a sentence is an argument of, and of a count the two that are its forms in English.
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "plural": (1, 2),
    "marked": None,
    "Sentence": None,
}


def messages() -> Catalog:
    """All sentences of the source, each with the files in which it stands."""
    found = Catalog(charset="utf-8")
    for folder in FOLDERS:
        for file in sorted((SOURCE / folder).rglob("*.py")):
            with file.open("rb") as source:
                for line, message, _, _ in extract("python", source, KEYWORDS):
                    place = (file.relative_to(SOURCE).as_posix(), line)
                    found.add(message, locations=[place])
    return found


def read(language: str) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> str:
    """A catalogue with exactly the sentences of the source; new ones are empty."""
    catalogue = read(language)
    catalogue.update(messages(), no_fuzzy_matching=True)
    written = io.BytesIO()
    write_po(
        written,
        catalogue,
        width=100,
        omit_header=True,  # it would name the minute
        sort_output=True,
        ignore_obsolete=True,
        include_lineno=False,
    )
    return f"{_header(catalogue)}\n{written.getvalue().decode()}"


def _header(catalogue: Catalog) -> str:
    return (
        'msgid ""\n'
        'msgstr ""\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {catalogue.locale_identifier}\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n'
    )
