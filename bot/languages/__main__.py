"""`python -m bot.languages`, for developers: bring the catalogues up to date with the source."""

from __future__ import annotations

from bot.languages.extraction import CATALOGUES, updated
from bot.languages.speech import TRANSLATED

for language in TRANSLATED:
    text = updated(language)
    (CATALOGUES / f"{language}.po").write_text(text, encoding="utf-8")
    print(f"{language}: {text.count('msgid ') - 1} sentences")
