"""What Magpie says when it comes to a server, and while somebody sets it up there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from discord.abc import GuildChannel

from bot.languages.speech import _, both, joined, name_of_language, plural
from bot.text.channels import unreadable
from bot.text.help import QUESTIONS, example
from bot.text.pieces import command, fitting, name_of, name_of_model, percent, quoted
from index import Languages


def hello() -> str:
    return _("Hello, I am Magpie. I find pictures by what is in them")


def first_step() -> str:
    """Above the menu with channels, for those who can see the channel of the message."""
    return _(
        "Once I am set up, everybody here can ask {find}. Each sees only pictures of channels that "
        "they can read themselves.\n"
        "Somebody with the Manage Server permission sets me up in three steps, and I read nothing "
        "before.\n"
        "**1 of 3: which channels shall I read?** Whoever chooses sees the rest alone."
    ).format(find=command("find", query=QUESTIONS[0]))


def which_channels() -> str:
    """What stands in the menu."""
    return _("Channels, categories and forums to read")


# ---- the private steps


def second_step() -> str:
    return _("2 of 3: what is read and kept")


def third_step() -> str:
    return _("3 of 3: start")


def chosen(
    readable: Collection[GuildChannel],
    problems: Iterable[str],
    closed: Mapping[GuildChannel, Sequence[str]],
) -> str:
    """Which of the chosen channels are read.

    problems   why others are not
    closed     channels of a chosen category that can't be read, with the permissions that lack
    """
    lines = []
    if readable:
        will = _("I will read {channels}, with what was posted before.")
        lines.append(will.format(channels=both(map(name_of, readable))))
    else:
        lines.append(_("Nothing new to read is chosen yet."))
    lines += [f"- {problem}" for problem in problems]
    lines += [f"- {unreadable(place, missing)}" for place, missing in closed.items()]
    return fitting(lines)


def kept(*, words_read: bool) -> str:
    """What is kept and what is not, in plain words."""
    lines = [
        _(
            "I keep for each picture a link to its message, when and by whom it was posted, the "
            "file’s name, a fingerprint, and numbers that stand for what is in it; of a video or "
            "an animation also small stills."
        ),
        _("I do not keep the pictures themselves, nor what people write."),
        _("The words in pictures are read, too, and kept.")
        if words_read
        else _("The words in pictures are not read; whoever runs me decides that."),
        _("When a message is deleted, all that I keep of it is erased."),
        _("Everybody sees what I keep about them with {status}, and can erase it there.").format(
            status=command("privacy status")
        ),
    ]
    return "\n".join(f"- {line}" for line in lines)


def how_long(days: int) -> str:
    """A choice: how long pictures stay."""
    if not days:
        return _("Pictures stay as long as their message")
    return plural("Pictures stay for {n} day", "Pictures stay for {n} days", days)


def notes(on: bool) -> str:
    """A choice: whether there are notes below pictures that were posted before."""
    if on:
        return _("A quiet note below each repost")
    return _("No notes below reposts")


def model(name: str, languages: Languages | None, locale: str) -> str:
    """Which model answers, and which languages are spoken.

    locale   of the server
    """
    understood = {
        "english": _("It understands English best, so questions in English find most."),
        "chinese": _("It understands Chinese best, so questions in Chinese find most."),
        "many": _("It understands questions in many languages."),
    }
    which = _("The model {name} looks at the pictures; whoever runs me has chosen it.")
    speaks = _(
        "I speak {language} here, the language of this server, and to each member alone in the "
        "language of their Discord."
    )
    said = [
        which.format(name=f"**{quoted(name_of_model(name))}**"),
        *([understood[languages]] if languages else []),
        speaks.format(language=name_of_language(locale)),
    ]
    return joined(*said)


def start() -> str:
    """The button."""
    return _("Start")


def started() -> str:
    return _("I have begun")


def what_happens() -> str:
    return _(
        "New pictures are searchable within seconds; of what was posted before I am reading "
        "the newest first. {status} shows how far I am, {find} already works."
    ).format(status=command("status"), find=command("find"))


def nothing_begun() -> str:
    return _("I read no further channel than before.")


def watched_now(channels: Collection[GuildChannel]) -> str:
    return _("I watch {channels} now.").format(channels=both(map(name_of, channels)))


def notes_in(channels: Collection[GuildChannel]) -> str:
    return _("Pictures that were posted before get a quiet note in {channels}.").format(
        channels=both(map(name_of, channels))
    )


# ---- the message for all, once it is set up


def reading(done: int | None, *, searching: bool = False) -> str:
    """How far is read what everybody who sees the message may read.

    done       in percent; None: all of it, or all that I read is closed to some of them
    searching  Discord's search is looking for the older pictures first
    """
    if done is None:
        return _(
            "I am set up. {find} finds the pictures of the channels that you can read."
        ).format(find=command("find"))
    if searching:
        return _(
            "I am set up. Discord’s search brings me the older pictures first, and then I read all "
            "older messages. {find} already works."
        ).format(find=command("find"))
    return _(
        "I am set up and read the older messages, the newest first: about {percent} done. {find} "
        "already works."
    ).format(percent=percent(done), find=command("find"))


def try_it(lines: Sequence[str]) -> str:
    return _("Try {examples}").format(examples=both(map(example, lines)))


def more() -> str:
    """For admins, below it."""
    return _("Admins: {add} adds channels, {status} shows how far I am.").format(
        add=command("channels add"), status=command("status")
    )


def show_examples() -> str:
    """The button."""
    return _("What can I ask?")
