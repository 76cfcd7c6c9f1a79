"""What `/watch` answers, and what its notices say."""

from __future__ import annotations

from bot.languages.speech import _, plural
from bot.text import lines as line_text
from bot.text.answers import asked as asked_text
from bot.text.pieces import cited, command, quoted
from index import Asked

MENU_LETTERS = 100  # of an option: Discord's limit


def wish(asked: Asked, *, public: bool = False) -> str:
    """What a watch asks for, as its notices say it.

    public   everybody reads it: then not what it is limited to, since that may name channels
    """
    says = asked.filter.says if asked.filter else ()
    words = asked_text(asked.words, asked.with_picture)
    written = " ".join(cited(one) for one in says)
    limits = "" if public else line_text.limits(asked, exact=False)
    return " ".join(filter(None, [words, written, limits])) or _("all that is new")


def wish_in_plain(asked: Asked, limit: int = MENU_LETTERS) -> str:
    """The same for an option of a menu, which shows plain text."""
    said = asked.line or (_("a picture") if asked.with_picture else _("all that is new"))
    if asked.with_picture and asked.line:
        said = _("a picture, {words}").format(words=said)
    return said if len(said) <= limit else said[: limit - 1] + "…"


# ---- adding


def nothing_to_watch() -> str:
    return _(
        "Tell me what to watch for: a few words, a picture, or at least a limit such as `in:#pets`."
    )


def is_over() -> str:
    return _("No new picture can be from before that day. Leave `before:` out.")


def too_many_of_member(most: int) -> str:
    return plural(
        "You have {n} watch here, which is as many as a member may have. Remove it first.",
        "You have {n} watches here, which is as many as a member may have. Remove one first.",
        most,
    )


def too_many_of_server(most: int) -> str:
    return plural(
        "This server has {n} watch, which is as many as I keep for one.",
        "This server has {n} watches, which is as many as I keep for one.",
        most,
    )


def no_such_hours() -> str:
    return _("I can’t read these quiet hours. Write them as `22-7`, `22:30-6:45` or `10pm-7am`.")


def no_such_zone() -> str:
    return _(
        "I know no such time zone. Type a large city near you, such as `Berlin` or `São Paulo`, or "
        "whole hours from UTC, such as `UTC+2`."
    )


def you_may_not_write(channel: str) -> str:
    return _("You may not write in {channel}, so your watch can’t either.").format(channel=channel)


def i_may_not_write(channel: str) -> str:
    return _("I may not write in {channel}. Somebody who manages it can allow me to.").format(
        channel=channel
    )


def not_kept() -> str:
    return _("You have just had your questions erased, so this watch isn’t kept. Add it once more.")


def there_already(said: str, channel: str) -> str:
    """channel   where its notices go; "": to the member alone"""
    return _(
        "You have this watch already: {wish}, {where}. To change when it tells you, remove it with "
        "{command}, and add it once more."
    ).format(wish=said, where=goes_to(channel), command=command("watch remove"))


def have_stopped(count: int) -> str:
    return plural(
        "{n} watch of yours has stopped. {command} says why.",
        "{n} watches of yours have stopped. {command} says why.",
        count,
    ).format(command=command("watch list"))


def zone_unused(zone: str) -> str:
    return _(
        "The time zone ({zone}) does nothing yet: it counts only for quiet hours, and for a digest "
        "once a day."
    ).format(zone=zone)


def added(said: str, *, channel: str, when: str, unused_zone: str, a_day: int) -> str:
    """What /watch add answers.

    said          the wish
    channel       where notices go; "": to the member alone
    unused_zone   the time zone that was given for nothing; "": none
    """
    if channel:
        first = _(
            "I watch for {wish} now. When a new picture fits, I write in {channel}. There I show "
            "only what everyone in that channel may see."
        ).format(wish=said, channel=channel)
    else:
        first = _(
            "I watch for {wish} now. When a new picture fits that you can read, I send you a "
            "direct message."
        ).format(wish=said)
    most = plural(
        "You get at most {n} message a day; what comes then waits until the next.",
        "You get at most {n} messages a day; what comes then waits until the next.",
        a_day,
    )
    unused = zone_unused(unused_zone) if unused_zone else ""
    return "\n".join([first, *filter(None, [when, unused]), f"-# {most}"])


def quiet_hours(begin: str, end: str, zone: str) -> str:
    return _("Nothing comes from {begin} to {end} ({zone}).").format(
        begin=begin, end=end, zone=zone
    )


def hourly() -> str:
    return _("Notices are gathered, and come once an hour.")


def daily(at: str, zone: str) -> str:
    return _("Notices are gathered, and come once a day at {at} ({zone}).").format(at=at, zone=zone)


# ---- the list


def no_watches() -> str:
    return _("You have no watches here. {command} adds one.").format(command=command("watch add"))


def list_heading(count: int, most: int) -> str:
    return _("Your watches on this server: {count} of {most}").format(count=count, most=most)


def goes_to(channel: str) -> str:
    if not channel:
        return _("by direct message")
    return _("in {channel}").format(channel=channel)


def waiting(pictures: int) -> str:
    return plural("{n} picture waits", "{n} pictures wait", pictures)


def paused_by_you() -> str:
    return _("Paused by you.")


def dms_closed() -> str:
    return _(
        "Paused: Discord doesn’t let me send you direct messages. Allow them from members of this "
        "server, then let it go on."
    )


def channel_gone() -> str:
    return _("Paused: the channel of its notices is gone.")


def may_not_write() -> str:
    return _("Paused: you or I may no longer write in the channel of its notices.")


def other_model() -> str:
    return _(
        "Paused: I see pictures with another model now, and I didn’t keep the one that you watched "
        "with. Add the watch with it once more."
    )


def notice_refused() -> str:
    return _(
        "Paused: Discord refuses the notice. A rule of the server may forbid its words. Let the "
        "watch go on to try again, or add it with other words."
    )


def pause() -> str:
    return _("Pause")


def go_on() -> str:
    return _("Go on")


def remove_menu() -> str:
    return _("Remove a watch")


def paused(said: str) -> str:
    return _("Paused: {wish}. What came until now and waited is dropped.").format(wish=said)


def goes_on(said: str) -> str:
    return _("I watch for {wish} again.").format(wish=said)


def removed(said: str) -> str:
    return _("Removed: {wish}.").format(wish=said)


def no_such_watch() -> str:
    return _("You have no such watch here. {command} shows those that you have.").format(
        command=command("watch list")
    )


# ---- notices


def notice(said: str) -> str:
    return _("New for your watch: {wish}").format(wish=said)


def public_notice(member: str, said: str) -> str:
    return _("{member}, new for your watch: {wish}").format(member=member, wish=said)


def on_server(name: str) -> str:
    return _("On {server}").format(server=f"**{quoted(name, 60)}**")


def last_of_today(again: str) -> str:
    """again   when the next message may come, as Discord shows a moment"""
    return _("That was the last message of today. What else comes waits until {again}.").format(
        again=again
    )


def pause_this() -> str:
    return _("Pause this watch")


def stopped(said: str, why: str, server: str) -> str:
    """The one message that tells that a watch was paused."""
    return _("Your watch on {server} has stopped: {wish}\n{why}").format(
        server=f"**{quoted(server, 60)}**", wish=said, why=why
    )
