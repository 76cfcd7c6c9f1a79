"""Phrases that ask for something else than pictures: whether one was posted before, or for help.

The whole text counts: "posted before?" asks that, "a repost of a dog in snow" is words to look for.
"""

from __future__ import annotations

import re

_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NOT_WORDS = re.compile(r"<(?:@[!&]?|#)\d+>|<a?:\w+:\d+>|https?://\S+")

# "help" in the languages that Magpie speaks.
_HELP = frozenset(["help", "hilfe", "aide", "ayuda", "ajuda", "ヘルプ", "助けて"])


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# One of these is the whole question.
_REPOSTS = _set("repost reposts reposted duplicate duplicated dupe")
# One of these needs a word of time beside it.
_POSTED = _set("posted post shared share seen sent uploaded shown been")
_TIME = _set("before already earlier previously ever yet again first")
_BESIDE = _set(
    "is isn't isnt was wasn't wasnt were has hasn't hasnt have haven't havent had did do does be "
    "this that it it's its the a an one picture pic image photo meme gif by in on of we i you u "
    "anyone anybody someone somebody everybody any some who when where how often time times or and "
    "not please pls plz hey hi hello so just maybe possibly here server channel"
)
_KNOWN = _REPOSTS | _POSTED | _TIME | _BESIDE


def asks_whether_posted(text: str) -> bool:
    """Whether a message asks, beside mentions, only whether its picture was posted before."""
    said = _NOT_WORDS.sub(" ", text).casefold().replace("’", "'")
    words = set(_LETTERS.findall(said))
    # A number may be a date, and what is in quotes is looked for.
    if re.search(r'[\d"“”]', said) or not words <= _KNOWN:
        return False
    return bool(words & _REPOSTS) or bool(words & _POSTED and words & _TIME)


def asks_for_help(line: str) -> bool:
    """Whether a line asks how to ask: "help", also in the languages that Magpie speaks."""
    return line.strip(" !?¿¡.").casefold() in _HELP
