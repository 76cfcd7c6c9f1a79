"""What `/privacy` answers."""

from __future__ import annotations

from bot.text.pieces import counted

LET_IN_EARLIER = (
    "`/privacy opt-in earlier:True` lets what you erased come back with the next `/reindex`."
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
    until = f"for {counted(days, 'day')}" if days else "for as long as their message is there"
    lines = [
        "**Kept about you on this server**",
        f"- {counted(pictures, 'picture')} that you posted: for each a link to the message, its "
        "time, your id, the file’s name, a fingerprint, the words that were read in it, and "
        "numbers that stand for what is in it; not the picture; of a video or an animation also "
        f"small stills, which show the moment that was found. Pictures are kept {until}.",
        f"- {counted(searches, 'question')} that you asked, for the buttons below the answers. "
        "They are kept for seven days.",
        f"- {counted(watches, 'watch', 'watches')}, until you remove them with `/watch list`, and "
        "for three months of which pictures they told you.",
    ]
    if opted_out:
        lines.append(
            "You have opted out: none of your pictures is taken. `/privacy opt-in` ends that."
        )
    else:
        if erased_upto is not None:
            lines.append(
                f"- What you posted until {_moment(erased_upto)} is erased and stays so. "
                f"{LET_IN_EARLIER}"
            )
        lines.append(
            "`/privacy opt-out` erases your pictures and takes no more, `/privacy erase` erases "
            "those you have posted so far, `/privacy export` gives you all of it as a file."
        )
    return "\n".join(lines)


def opted_out(pictures: int) -> str:
    return (
        f"Done: {counted(pictures, 'picture')} of yours erased from the index of this server, with "
        "your questions and watches, and no picture of yours is taken from now on. The messages "
        "themselves are Discord’s and stay."
    )


def opted_in(*, was_out: bool, earlier: bool, erased_upto: float | None) -> str:
    """What /privacy opt-in answers.

    earlier       whether pictures that were erased may come back, too
    erased_upto   what they posted up to then (Unix seconds) stays erased
    """
    begin = "Welcome back: pictures" if was_out else "You had not opted out: the pictures"
    begin += " you post in watched channels can be found."
    if earlier:
        return f"{begin} So can those from before, after the next `/reindex`, which admins begin."
    if erased_upto is not None:
        return f"{begin} What you posted until {_moment(erased_upto)} stays out. {LET_IN_EARLIER}"
    return begin


def erased(pictures: int, *, opted_out: bool) -> str:
    """What /privacy erase answers."""
    done = f"{counted(pictures, 'picture')} of yours erased from the index, with your questions"
    done += " and watches."
    if opted_out:
        return done
    return (
        f"{done} They stay erased, though their messages are still there. Pictures that you post "
        f"from now on can be found, unless you use `/privacy opt-out`. {LET_IN_EARLIER}"
    )


def exported() -> str:
    return (
        "All that is kept about you on this server. `about-you.json` has the links, times, texts "
        "and the words that were read in your pictures; `vectors.npy` (NumPy) the numbers that "
        "stand for what is in each picture; `stills` the small pictures of videos, named by their "
        "place in the list and the second."
    )


def retention(days: int) -> str:
    """What /privacy retention answers; without a count, which would tell of closed channels."""
    if not days:
        return "Pictures stay in the index for as long as their message is there."
    return (
        f"Pictures stay in the index for {counted(days, 'day')} after they were posted. Older ones "
        "are erased."
    )


def _moment(seconds: float) -> str:
    """A moment in Unix seconds, which Discord shows in each reader's time zone."""
    return f"<t:{int(seconds)}:f>"
