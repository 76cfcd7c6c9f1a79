"""The sentences of an answer: its heading, its notes, and why there is nothing to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.text.pieces import counted, quoted

NOT_IN_A_SERVER = "I look for pictures within a server, so please ask me there."
ASK_SOMETHING = "Tell me what to look for: a few words, a picture, or both."
HELP = (
    "Tell me what to look for and I will find it among the pictures posted here. You can\n"
    "- write `@Magpie dog in snow`\n"
    "- reply to a picture with `@Magpie`, or with `@Magpie but at night`\n"
    "- post a picture with `@Magpie`\n"
    "- use `/find`, whose answer only you see"
)
NO_PICTURE_THERE = (
    "That message shows no picture or video. Choose one that does, "
    "or describe what you look for with `/find`."
)
ONLY_LINKS = (
    "I cannot look behind a link by itself. Once Discord shows its picture, reply to that "
    "message with `@Magpie`; or attach the picture here."
)
PICTURE_UNAVAILABLE = "That picture is no longer there, or no longer open to you."
SEARCH_EXPIRED = "I have forgotten this search; they are kept for seven days. Please ask again."


def too_many_questions(seconds: int, *, server: bool) -> str:
    """A member, or a whole server, asked more questions than allowed in a minute."""
    who = "This server is" if server else "You are"
    return f"{who} asking faster than I can look. Please try again in {counted(seconds, 'second')}."


YOUR_PICTURES_WAIT = (
    "I am still looking at the pictures that you asked with. "
    "Please ask with this one when they are answered."
)
MANY_PICTURES_WAIT = (
    "So many people ask with pictures right now that I can take no more. "
    "Please try again in a minute, or ask in words."
)
STICKER = "See the sticker"  # of a kind that Discord shows only where it was sent
NOT_YOURS = "These are somebody else’s results. Ask with `/find` to get your own."
WHO_ARE_YOU = (
    "Discord did not tell me your roles, so I cannot know what you may see. "
    "`/find` does the same and will work."
)
ROLES_UNKNOWN = (
    "Discord did not tell me your roles just now, so I cannot know what you may see. "
    "Please ask again in a minute."
)
OUTAGE = (
    "Discord has an outage here and does not tell me who may see what, so I show nothing. "
    "Please ask again when it is over."
)

NOTHING_FOUND = "I found no picture for this in the channels you can read."
NOTHING_MORE = "That was all: there are no more pictures for this."
NOTHING_READABLE = (
    "None of the channels I watch is open to you here, so there is nothing I could show you."
)
NOTHING_SHARED = "I found nothing to show here."
NOT_INDEXED_YET = "I have not indexed any picture in the channels you can read."
UNREACHABLE = (
    "I found pictures, but Discord did not let me read their messages just now. "
    "Please ask again in a minute."
)

# It is below each public answer, whether or not anything was left out.
ONLY_SHARED = (
    "Here I show only what everyone in this channel may see. "
    "The button searches all that you can read."
)

# It replaces the buttons that need a saved question.
NO_BUTTONS = "I cannot keep this question just now, so there is no button for more."


def no_channels(may_add: bool) -> str:
    """No channel is watched; `may_add`: whether the reader may change that."""
    if may_add:
        return (
            "I don’t watch any channel here yet. Add one with `/channels add`, and I will "
            "index the pictures posted in it, old ones too."
        )
    return (
        "I don’t watch any channel here yet. Somebody with the Manage Server permission can "
        "add one with `/channels add`."
    )


def still_indexing(percent: int | None) -> str:
    """How far the history is read, without counts: they would tell about closed channels."""
    if percent is None:
        return "I am still reading the older messages; some pictures may be missing yet."
    return (
        f"I am still reading the older messages, about {percent} % done; "
        "some pictures may be missing yet."
    )


def truncated(words_read: str) -> str:
    """The question was longer than the model reads: the end of what it read, from a word on."""
    end = words_read[-80:]
    if len(words_read) > len(end):
        _, blank, after = end.partition(" ")
        end = f"…{after if blank else end}"
    return f"That was long; I read as far as “{quoted(end)}”."


ONLY_FOR_ME = "More, only for me"
MENU = "Pick a picture, or sort"
TO_RESULTS = "Back to the pictures"
NARROW = "Narrow the search"
QUESTION = "Your question"
HOW_TO_NARROW = "Add -word, from:@name, in:#channel, after:2024, has:gif …"
EXAMPLE = "dog -snow in:#pets"
NOT_FOR_EVERYONE = (
    "This answer is only for you. For one that everyone here sees, ask with `/find show:everyone`."
)
GUESS = "Show the nearest guesses"


def not_sure(pictures: int) -> str:
    """No picture of the page surely fits."""
    if pictures == 1:
        return "It may fit, but I am not sure of it"
    return "They may fit, but I am not sure of any of them"


def nothing_like(asked: str) -> str:
    """No picture fits."""
    return f"Nothing here looks like {asked}."


def nothing_says(says: Sequence[str], *, public: bool) -> str:
    """In no picture the exact words are written, as far as it was read."""
    if public:
        return f"I found nothing to show here that says {_said(says)}."
    return f"I found no picture that says {_said(says)} in the channels you can read."


def at(clock: str) -> str:
    """Which second of a video or an animation was found."""
    return f"at {clock}"


def and_more(copies: int) -> str:
    """How many near-copies stand behind a picture."""
    return f"and {copies:,} more like it"


def more_places(copies: int) -> str:
    """The button that shows where the near-copies are."""
    return counted(copies, "more place")


def sees(concepts: Iterable[str]) -> str:
    """What the model sees in a picture. They are words of its own list."""
    return f"I see: {', '.join(concepts)}"


def says(excerpt: str) -> str:
    """What is written in a picture, around the words that were asked for."""
    return f"says “{quoted(excerpt)}”"


def places(shown: int, *, more: bool) -> str:
    """The heading above where a picture and its near-copies were posted, oldest first."""
    first = f", the first {shown}" if more else ""
    return f"Where this picture was posted{first}"


def asked(words: str, picture: bool, *, url: str | None = None) -> str:
    """What was asked: words, a picture (whose message is at `url`), or both; "" for neither."""
    if not words and not picture:
        return ""
    this = f"[this picture]({url})" if url else "this picture"
    said = f"“{quoted(words)}”"
    return f"{this} and {said}" if picture and words else this if picture else said


def heading(
    asked: str, says: Sequence[str] = (), *, first: bool = True, guesses: bool = False
) -> str:
    """What a page shows.

    asked    "" where it lists what a filter leaves
    says     what is written in all of the pictures
    first    whether it is the beginning of the answer
    guesses  whether it also shows what doesn't fit
    """
    if not asked:
        pictures = "Pictures" if first else "More pictures"
        return f"{pictures} that say {_said(says)}" if says else pictures
    if guesses:
        return f"Nearest guesses for {asked}"
    return f"{'Closest to' if first else 'More for'} {asked}"


def one_for(asked: str, says: Sequence[str] = ()) -> str:
    """The heading of one picture of an answer."""
    if asked:
        return f"A picture for {asked}"
    return f"A picture that says {_said(says)}" if says else "A picture"


def _said(says: Sequence[str]) -> str:
    return " and ".join(f"“{quoted(one, 60)}”" for one in says)


def span(first: int, last: int, more: bool, order: str = "best first") -> str:
    """Which pictures of the answer are shown, counted from 1, in which order."""
    shown = f"Pictures {first}–{last}" if last > first else f"Picture {first}"
    return f"{shown}, {order}" if more or first == last else f"{shown}, {order}; that is all"


def day(moment: datetime) -> str:
    """A date as plain text, where Discord shows no date of its own: "3 May 2024"."""
    return f"{moment.day} {moment:%B %Y}"


def several_pictures(chosen: int, count: int) -> str:
    return f"The message shows {count} pictures; this is for number {chosen + 1}. The others:"
