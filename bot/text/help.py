"""What `/help` answers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.languages.speech import _, listed
from bot.text.pieces import command

# What somebody may look for. It is English in every language, which most models read best.
QUESTIONS = ("dog in snow", "sunset at the sea", "handwritten note")


def heading() -> str:
    return _("Find pictures by what is in them")


def ways() -> str:
    """How one asks, a line each."""
    lines = [
        _("{find}: in your own words, with a picture, or both. Only you see the answer").format(
            find=command("find", query=QUESTIONS[0])
        ),
        _("`@Magpie dog in snow` in a message: everybody here sees the answer"),
        _("Reply to a picture with `@Magpie`, or with `@Magpie but at night`"),
        _(
            "Open the menu of a message with a picture, then Apps: **{similar}**, **{posted}**"
        ).format(similar=_("Find similar"), posted=_("Posted before?")),
        _("Narrow it with {terms}").format(
            terms=" ".join(
                f"`{term}`" for term in ("-snow", "in:#pets", "from:me", "after:2024", "has:gif")
            )
        ),
        _(
            "{watch}: I tell you when a new picture fits. {overview}: what the pictures are about"
        ).format(watch=command("watch add"), overview=command("overview")),
        _("{privacy}: what I keep about you, and how you erase it").format(
            privacy=command("privacy status")
        ),
    ]
    return "\n".join(f"- {line}" for line in lines)


def examples(lines: Sequence[str]) -> str:
    """Questions that find something, made from pictures that the asker can see."""
    first = _("**Try it: these find pictures that you can see here**")
    return "\n".join([first, *(f"- {example(line)}" for line in lines)])


def example(line: str) -> str:
    """A question, as it is typed."""
    return command("find", query="{line}").format(line=line.replace("`", "ˋ"))


def no_examples() -> str:
    return _(
        "There is no picture yet that you can see and that I could make an example from. "
        "Elsewhere people ask for {examples}."
    ).format(examples=general())


def general() -> str:
    """Questions that suit any server."""
    return listed(f"`{one}`" for one in QUESTIONS)


def for_admins() -> str:
    """What only those can do who may manage the server."""
    lines = [
        _("{add} and {remove}: which channels I read").format(
            add=command("channels add"), remove=command("channels remove")
        ),
        _("{status}: what is indexed, and what I lack").format(status=command("status")),
        _("{reposts}: notes below pictures that were posted before").format(
            reposts=command("reposts on")
        ),
        _("{retention}: how long pictures stay").format(retention=command("privacy retention")),
        _("{reindex}: read everything again").format(reindex=command("reindex")),
    ]
    return "\n".join([_("**For you as an admin**"), *(f"- {line}" for line in lines)])
