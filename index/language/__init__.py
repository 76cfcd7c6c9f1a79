"""The query language: a line that a person types, as plain data.

It knows neither a chat nor a model. `parse` reads a line, `printed` writes it again.

| module | holds |
|---|---|
| `wish` | `Wish`: what is asked; `Reader`: when and in whose language a line is read |
| `unreadable` | `Unreadable`: what is wrong with a line, where, and the line corrected |
| `tokens` | a line → words, quoted words, and fields such as `from:@ana` |
| `fields` | the names of fields and of their values, and what else people call them |
| `dates` | `2024-05`, `yesterday`, `last week` → a span of time |
| `tongues` | the words of each language for "without", "no", "ago" |
| `negation` | "dog without snow" → `dog -snow` |
| `parser`, `printer` | a line → a `Wish`, and back |
| `suggestions` | what may follow while somebody types |
"""

from index.language.parser import parse
from index.language.printer import combined, printed
from index.language.suggestions import Suggestion, suggestions
from index.language.unreadable import Unreadable, pointed
from index.language.wish import HAS, SHOW, Reader, Understood, Wish

__all__ = [
    "HAS",
    "SHOW",
    "Reader",
    "Suggestion",
    "Understood",
    "Unreadable",
    "Wish",
    "combined",
    "parse",
    "pointed",
    "printed",
    "suggestions",
]
