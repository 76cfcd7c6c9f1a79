"""What `/privacy` answers."""

from __future__ import annotations

from bot.text.pieces import counted


def privacy(*, pictures: int, searches: int, days: int | None, opted_out: bool) -> str:
    """What /privacy status answers."""
    until = f"for {counted(days, 'day')}" if days else "for as long as their message is there"
    lines = [
        "**Kept about you on this server**",
        f"- {counted(pictures, 'picture')} that you posted: for each a link to the message, its "
        "time, your id, the file’s name, a fingerprint, and numbers that stand for what is in it; "
        f"not the picture. Pictures are kept {until}.",
        f"- {counted(searches, 'question')} that you asked, for the buttons below the answers. "
        "They are kept for seven days.",
    ]
    if opted_out:
        lines.append(
            "You have opted out: none of your pictures is taken. `/privacy opt-in` ends that."
        )
    else:
        lines.append(
            "`/privacy opt-out` erases your pictures and takes no more, `/privacy erase` only "
            "erases, `/privacy export` gives you all of it as a file."
        )
    return "\n".join(lines)


def opted_out(pictures: int) -> str:
    return (
        f"Done: {counted(pictures, 'picture')} of yours erased from the index of this server, with "
        "your questions, and no picture of yours is taken from now on. The messages themselves are "
        "Discord’s and stay."
    )


def opted_in(*, was_out: bool) -> str:
    if not was_out:
        return "You had not opted out: the pictures you post in watched channels can be found."
    return (
        "Welcome back: pictures you post from now on can be found. Those from before come back "
        "with the next `/reindex`, which admins can begin."
    )


def erased(pictures: int, *, opted_out: bool) -> str:
    done = f"{counted(pictures, 'picture')} of yours erased from the index, with your questions."
    later = " Their messages are still there, so a `/reindex` can bring them back; "
    return done if opted_out else done + later + "`/privacy opt-out` keeps them out."


def exported() -> str:
    return (
        "All that is kept about you on this server. `about-you.json` has the links, times and "
        "texts; `vectors.npy` (NumPy) the numbers that stand for what is in each picture."
    )


def retention(days: int, erased: int) -> str:
    if not days:
        return "Pictures stay in the index for as long as their message is there."
    return (
        f"Pictures stay in the index for {counted(days, 'day')} after they were posted. "
        f"{counted(erased, 'older picture')} erased."
    )
