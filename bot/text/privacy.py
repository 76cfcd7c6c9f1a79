"""What `/privacy` answers."""

from __future__ import annotations

from bot.languages.speech import _, joined, plural
from bot.text.pieces import command


def let_in_earlier() -> str:
    return _("{opt_in} lets what you erased come back with the next {reindex}.").format(
        opt_in=command("privacy opt-in", earlier="True"), reindex=command("reindex")
    )


def privacy(
    *,
    pictures: int,
    searches: int,
    watches: int,
    days: int | None,
    opted_out: bool,
    erased_upto: float | None,
) -> str:
    """What /privacy status answers.

    erased_upto   what they posted up to then (Unix seconds) is erased and stays so
    """
    kept = plural(
        "{n} picture that you posted: for each a link to the message, its "
        "time, your id, the file’s name, a fingerprint, the words that were read in it, and "
        "numbers that stand for what is in it; not the picture; of a video or an animation also "
        "small stills, which show the moment that was found.",
        "{n} pictures that you posted: for each a link to the message, its "
        "time, your id, the file’s name, a fingerprint, the words that were read in it, and "
        "numbers that stand for what is in it; not the picture; of a video or an animation also "
        "small stills, which show the moment that was found.",
        pictures,
    )
    asked = plural(
        "{n} question that you asked, for the buttons below the answers. "
        "They are kept for seven days.",
        "{n} questions that you asked, for the buttons below the answers. "
        "They are kept for seven days.",
        searches,
    )
    lines = [
        _("**Kept about you on this server**"),
        f"- {joined(kept, _how_long(days))}",
        f"- {asked}",
        f"- {_watches(watches)}",
    ]
    if opted_out:
        ends = _("You have opted out: none of your pictures is taken. {opt_in} ends that.")
        return "\n".join([*lines, ends.format(opt_in=command("privacy opt-in"))])
    if erased_upto is not None:
        stays = _("What you posted until {moment} is erased and stays so.")
        lines.append(f"- {joined(stays.format(moment=_moment(erased_upto)), let_in_earlier())}")
    ways = _(
        "{opt_out} erases your pictures and takes no more, {erase} erases "
        "those you have posted so far, {export} gives you all of it as a file."
    )
    lines.append(
        ways.format(
            opt_out=command("privacy opt-out"),
            erase=command("privacy erase"),
            export=command("privacy export"),
        )
    )
    return "\n".join(lines)


def _watches(count: int) -> str:
    kept = plural(
        "{n} watch, until you remove it with {list}; and for three months of which pictures it "
        "told you.",
        "{n} watches, until you remove them with {list}; and for three months of which pictures "
        "they told you.",
        count,
    )
    return kept.format(list=command("watch list"))


def _watches_too() -> str:
    return _("Your watches are erased, too.")


def _how_long(days: int | None) -> str:
    if not days:
        return _("Pictures are kept for as long as their message is there.")
    return plural(
        "Pictures are kept for {n} day.",
        "Pictures are kept for {n} days.",
        days,
    )


def opted_out(pictures: int) -> str:
    said = plural(
        "Done: {n} picture of yours erased from the index of this server, with "
        "your questions, and no picture of yours is taken from now on. The messages themselves are "
        "Discord’s and stay.",
        "Done: {n} pictures of yours erased from the index of this server, with "
        "your questions, and no picture of yours is taken from now on. The messages themselves are "
        "Discord’s and stay.",
        pictures,
    )
    return joined(said, _watches_too())


def opted_in(*, was_out: bool, earlier: bool, erased_upto: float | None) -> str:
    """What /privacy opt-in answers.

    earlier       whether pictures that were erased may come back, too
    erased_upto   what they posted up to then (Unix seconds) stays erased
    """
    if was_out:
        said = [_("Welcome back: pictures you post in watched channels can be found.")]
    else:
        said = [_("You had not opted out: the pictures you post in watched channels can be found.")]
    if earlier:
        come = _("So can those from before, after the next {reindex}, which admins begin.")
        said.append(come.format(reindex=command("reindex")))
    elif erased_upto is not None:
        stays = _("What you posted until {moment} stays out.")
        said += [stays.format(moment=_moment(erased_upto)), let_in_earlier()]
    return joined(*said)


def erased(count: int, *, opted_out: bool) -> str:
    """What /privacy erase answers."""
    said = [
        plural(
            "{n} picture of yours erased from the index, with your questions.",
            "{n} pictures of yours erased from the index, with your questions.",
            count,
        ),
        _watches_too(),
    ]
    if not opted_out:
        stay = _(
            "They stay erased, though their messages are still there. Pictures that you post "
            "from now on can be found, unless you use {opt_out}."
        )
        said += [stay.format(opt_out=command("privacy opt-out")), let_in_earlier()]
    return joined(*said)


def exported() -> str:
    return _(
        "All that is kept about you on this server. `about-you.json` has the links, times, texts "
        "and the words that were read in your pictures; `vectors.npy` (NumPy) the numbers that "
        "stand for what is in each picture; `stills` the small pictures of videos, named by their "
        "place in the list and the second."
    )


def retention(days: int) -> str:
    """What /privacy retention answers; without a count, which would tell of closed channels."""
    if not days:
        return _("Pictures stay in the index for as long as their message is there.")
    return plural(
        "Pictures stay in the index for {n} day after they were posted. Older ones are erased.",
        "Pictures stay in the index for {n} days after they were posted. Older ones are erased.",
        days,
    )


def _moment(seconds: float) -> str:
    """A moment in Unix seconds, which Discord shows in each reader's time zone."""
    return f"<t:{int(seconds)}:f>"
