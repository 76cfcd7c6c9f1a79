"""The sentences of an answer: its heading, its notes, and why there is nothing to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.languages.speech import _, both, listed, number, plural
from bot.text.pieces import cited, command, percent, quoted
from index import Sort


def not_in_a_server() -> str:
    return _("I look for pictures within a server, so please ask me there.")


def ask_something() -> str:
    return _("Tell me what to look for: a few words, a picture, or both.")


def how_to_ask() -> str:
    return _(
        "Tell me what to look for and I will find it among the pictures posted here. You can\n"
        "- write `@Magpie dog in snow`\n"
        "- reply to a picture with `@Magpie`, or with `@Magpie but at night`\n"
        "- post a picture with `@Magpie`\n"
        "- use {find}, whose answer only you see\n"
        "{help} has examples that find something here."
    ).format(find=command("find"), help=command("help"))


def no_picture_there() -> str:
    return _(
        "That message shows no picture or video. Choose one that does, "
        "or describe what you look for with {find}."
    ).format(find=command("find"))


def only_links() -> str:
    return _(
        "I cannot look behind a link by itself. Once Discord shows its picture, reply to that "
        "message with `@Magpie`; or attach the picture here."
    )


def picture_unavailable() -> str:
    return _("That picture is no longer there, or no longer open to you.")


def search_expired() -> str:
    return _("I have forgotten this search; they are kept for seven days. Please ask again.")


def too_many_questions(seconds: int, *, server: bool) -> str:
    """A member, or a whole server, asked more questions than allowed in a minute."""
    if server:
        return plural(
            "This server is asking faster than I can look. Please try again in {n} second.",
            "This server is asking faster than I can look. Please try again in {n} seconds.",
            seconds,
        )
    return plural(
        "You are asking faster than I can look. Please try again in {n} second.",
        "You are asking faster than I can look. Please try again in {n} seconds.",
        seconds,
    )


def your_pictures_wait() -> str:
    return _(
        "I am still looking at the pictures that you asked with. "
        "Please ask with this one when they are answered."
    )


def many_pictures_wait() -> str:
    return _(
        "So many people ask with pictures right now that I can take no more. "
        "Please try again in a minute, or ask in words."
    )


def see_the_sticker() -> str:
    """The way to a sticker of a kind that Discord shows only where it was sent."""
    return _("See the sticker")


def not_yours() -> str:
    return _("These are somebody else’s results. Ask with {find} to get your own.").format(
        find=command("find")
    )


def who_are_you() -> str:
    return _(
        "Discord did not tell me your roles, so I cannot know what you may see. "
        "{find} does the same and will work."
    ).format(find=command("find"))


def roles_unknown() -> str:
    return _(
        "Discord did not tell me your roles just now, so I cannot know what you may see. "
        "Please ask again in a minute."
    )


def outage() -> str:
    return _(
        "Discord has an outage here and does not tell me who may see what, so I show nothing. "
        "Please ask again when it is over."
    )


def nothing_found() -> str:
    return _("I found no picture for this in the channels you can read.")


def nothing_more() -> str:
    return _("That was all: there are no more pictures for this.")


def nothing_readable() -> str:
    return _(
        "None of the channels I watch is open to you here, so there is nothing I could show you."
    )


def nothing_shared() -> str:
    return _("I found nothing to show here.")


def not_indexed_yet() -> str:
    return _("I have not indexed any picture in the channels you can read.")


def unreachable() -> str:
    return _(
        "I found pictures, but Discord did not let me read their messages just now. "
        "Please ask again in a minute."
    )


def only_shared() -> str:
    """It is below each public answer, whether or not anything was left out."""
    return _(
        "Here I show only what everyone in this channel may see. "
        "The button searches all that you can read."
    )


def no_buttons() -> str:
    """It replaces the buttons that need a saved question."""
    return _("I cannot keep this question just now, so there is no button for more.")


def no_channels(may_add: bool) -> str:
    """No channel is watched; `may_add`: whether the reader may change that."""
    if may_add:
        said = _(
            "I don’t watch any channel here yet. Add one with {add}, and I will "
            "index the pictures posted in it, old ones too."
        )
    else:
        said = _(
            "I don’t watch any channel here yet. Somebody with the Manage Server permission can "
            "add one with {add}."
        )
    return said.format(add=command("channels add"))


def still_indexing(done: int | None) -> str:
    """How far the history is read, without counts: they would tell about closed channels.

    done   in percent; None if it isn't known
    """
    if done is None:
        return _("I am still reading the older messages; some pictures may be missing yet.")
    return _(
        "I am still reading the older messages, about {percent} done; "
        "some pictures may be missing yet."
    ).format(percent=percent(done))


def truncated(words_read: str) -> str:
    """The question was longer than the model reads: the end of what it read, from a word on."""
    end = words_read[-80:]
    if len(words_read) > len(end):
        start, blank, after = end.partition(" ")
        end = f"…{after if blank else start}"
    return _("That was long; I read as far as “{words}”.").format(words=quoted(end))


def only_for_me() -> str:
    return _("More, only for me")


def menu() -> str:
    return _("Pick a picture, or sort")


def to_results() -> str:
    return _("Back to the pictures")


def narrow() -> str:
    """The button that opens the form."""
    return _("Narrow")


def narrow_the_search() -> str:
    """The title of the form."""
    return _("Narrow the search")


def question() -> str:
    return _("Your question")


def how_to_narrow() -> str:
    return _("Add -word, from:@name, in:#channel, after:2024, has:gif …")


def example() -> str:
    return _("dog -snow in:#pets")


def not_for_everyone() -> str:
    return _(
        "This answer is only for you. For one that everyone here sees, ask with {find}."
    ).format(find=command("find", show="everyone"))


def guess() -> str:
    return _("Show the nearest guesses")


def go_to_message() -> str:
    """The button; `go_to_message_link` is the same within a text."""
    return _("Go to message")


def go_to_message_link() -> str:
    return _("go to message")


def like_this(to: str) -> str:
    """The button for more, or less, like a picture."""
    return _("More like this") if to == "more" else _("Less like this")


def undo(to: str, times: int) -> str:
    """times: how often it can be undone"""
    label = _("Undo: more like that") if to == "more" else _("Undo: less like that")
    return label if times == 1 else f"{label} ({number(times)})"


def only_similar() -> str:
    return _("Only similar")


def picture_of_message(n: int) -> str:
    """The button for another picture of the same message."""
    return _("Picture {n}").format(n=number(n))


def order_label(order: Sort) -> str:
    """An order as a choice."""
    labels = {
        Sort.BEST: _("Best first"),
        Sort.NEWEST: _("Newest first"),
        Sort.OLDEST: _("Oldest first"),
    }
    return labels[order]


def in_order(order: Sort) -> str:
    """The same within a sentence."""
    said = {
        Sort.BEST: _("best first"),
        Sort.NEWEST: _("newest first"),
        Sort.OLDEST: _("oldest first"),
    }
    return said[order]


def not_sure(pictures: int) -> str:
    """No picture of the page surely fits."""
    if pictures == 1:
        return _("It may fit, but I am not sure of it")
    return _("They may fit, but I am not sure of any of them")


def a_guess() -> str:
    return _("a guess")


def perhaps() -> str:
    return _("perhaps")


def nothing_like(asked: str) -> str:
    """No picture fits."""
    return _("Nothing here looks like {asked}.").format(asked=asked)


def nothing_says(says: Sequence[str], *, public: bool) -> str:
    """In no picture the exact words are written, as far as it was read."""
    if public:
        said = _("I found nothing to show here that says {words}.")
    else:
        said = _("I found no picture that says {words} in the channels you can read.")
    return said.format(words=_all_cited(says))


def at(clock: str) -> str:
    """Which second of a video or an animation was found."""
    return _("at {time}").format(time=clock)


def and_more(copies: int) -> str:
    """How many near-copies stand behind a picture."""
    return plural("and {n} more like it", "and {n} more like it", copies)


def more_places(copies: int) -> str:
    """The button that shows where the near-copies are."""
    return plural("{n} more place", "{n} more places", copies)


def sees(concepts: Iterable[str]) -> str:
    """What the model sees in a picture. They are words of its own list."""
    return _("I see: {concepts}").format(concepts=listed(concepts))


def says(excerpt: str) -> str:
    """What is written in a picture, around the words that were asked for."""
    return _("says “{words}”").format(words=quoted(excerpt))


def posted_by(author: str, channel: str) -> str:
    """Who posted a picture, and where."""
    return _("{author} in {channel}").format(author=author, channel=channel)


def described(name: str, posted: str, date: str) -> str:
    """A picture for those who can't see it: its name, who posted it and where, and when."""
    return _("{name}, by {posted}, {date}").format(name=name, posted=posted, date=date)


def described_at(name: str, clock: str) -> str:
    """The name of a moment of a video."""
    return _("{name}, at {time}").format(name=name, time=clock)


def a_spoiler() -> str:
    return _("a spoiler")


def a_picture() -> str:
    return _("a picture")


def it_says(excerpt: str) -> str:
    """What is written in a picture, as plain text."""
    return _("It says “{words}”").format(words=excerpt)


def in_turn(first: str, second: str) -> str:
    """Two sentences without a full stop at the end."""
    return _("{first}. {second}").format(first=first, second=second)


def places(shown: int, *, more: bool) -> str:
    """The heading above where a picture and its near-copies were posted, oldest first."""
    if more:
        return _("Where this picture was posted, the first {n}").format(n=number(shown))
    return _("Where this picture was posted")


def asked(words: str, picture: bool, *, url: str | None = None) -> str:
    """What was asked: words, a picture (whose message is at `url`), or both; "" for neither."""
    if not picture:
        return cited(words) if words else ""
    this = _("this picture")
    shown = f"[{this}]({url})" if url else this
    return (
        _("{picture} and “{words}”").format(picture=shown, words=quoted(words)) if words else shown
    )


def heading(
    asked: str, says: Sequence[str] = (), *, first: bool = True, guesses: bool = False
) -> str:
    """What a page shows.

    asked    "" where it lists what a filter leaves
    says     what is written in all of the pictures
    first    whether it is the beginning of the answer
    guesses  whether it also shows what doesn't fit
    """
    if asked and guesses:
        return _("Nearest guesses for {asked}").format(asked=asked)
    if asked:
        said = _("Closest to {asked}") if first else _("More for {asked}")
        return said.format(asked=asked)
    if says:
        said = _("Pictures that say {words}") if first else _("More pictures that say {words}")
        return said.format(words=_all_cited(says))
    return _("Pictures") if first else _("More pictures")


def cluster(name: str, *, first: bool) -> str:
    """The heading of a page with the pictures of a cluster."""
    said = _("The cluster “{name}”") if first else _("More of the cluster “{name}”")
    return said.format(name=quoted(name))


def one_of_cluster(name: str) -> str:
    """The heading of one picture of a cluster."""
    return _("A picture of the cluster “{name}”").format(name=quoted(name))


def one_for(asked: str, says: Sequence[str] = ()) -> str:
    """The heading of one picture of an answer."""
    if asked:
        return _("A picture for {asked}").format(asked=asked)
    if says:
        return _("A picture that says {words}").format(words=_all_cited(says))
    return _("A picture")


def _all_cited(says: Sequence[str]) -> str:
    return both(cited(one, 60) for one in says)


def span(first: int, last: int, more: bool, order: Sort = Sort.BEST) -> str:
    """Which pictures of the answer are shown, counted from 1, in which order."""
    if last <= first:
        said = _("Picture {first}, {order}")
    elif more:
        said = _("Pictures {first}–{last}, {order}")
    else:
        said = _("Pictures {first}–{last}, {order}; that is all")
    return said.format(first=number(first), last=number(last), order=in_order(order))


def several_pictures(chosen: int, count: int) -> str:
    return _("The message shows {count} pictures; this is for number {chosen}. The others:").format(
        count=number(count), chosen=number(chosen + 1)
    )
