"""The ways to ask, in modules by subject.

Each asks once, has the answer judged, and returns whether that was possible.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from checks.permissions.doors import (
    choices,
    counts,
    examples,
    find,
    messages,
    overview,
    posted_before,
    watches,
)
from checks.permissions.inquiry import Inquiry

DOORS: dict[str, Callable[[Inquiry], Awaitable[bool]]] = {
    "/find": find.for_me,
    "/find with a picture": find.with_a_picture,
    "/find for everyone": find.for_everyone,
    "/find with exact words": find.with_exact_words,
    "/find with fields": find.with_fields,
    "what is offered while typing": choices.choices,
    "a mention with words": messages.mention,
    "a mention in reply to a picture": messages.reply_to_a_picture,
    "a picture with a mention": messages.post_a_picture,
    "a picture in reply to an answer": messages.reply_with_a_picture,
    "the menu": messages.menu,
    "posted before": posted_before.for_me,
    "posted before, for everyone": posted_before.for_everyone,
    "a watch": watches.for_me,
    "a watch, in a channel": watches.for_everyone,
    "/overview": overview.for_me,
    "/overview for everyone": overview.for_everyone,
    "/help": examples.help_,
    "the message with which Magpie came": examples.first_message,
    "/channels list": counts.channels_list,
    "/status": counts.status,
}
