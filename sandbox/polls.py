"""Polls: reading them from a request, votes, and the end.

A poll ends at its time by itself: its results then say that they are final. The message that tells
its results comes only when its author ends it before.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from . import permissions, rest
from .core import Core
from .errors import (
    ApiError,
    invalid,
    missing_access,
    missing_permissions,
    not_found,
    required,
    unknown,
)
from .rest import Caller
from .world import POLL_RESULT, Channel, Message, Poll, PollAnswer, Reference

MAX_QUESTION = 300
MAX_ANSWER = 55
MAX_ANSWERS = 10
MAX_HOURS = 32 * 24
DAY_H = 24

NO_POLL = ApiError(400, 520006, "Cannot expire a non-poll message")
NOT_YOURS = ApiError(403, 50005, "Cannot edit a message authored by another user")
OVER = ApiError(403, 520001, "Poll expired")


def read(wanted: Any) -> Poll:
    """The poll of a request's `poll`. raises ApiError 50035 that names the field"""
    if not isinstance(wanted, dict):
        raise invalid("poll", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    listed = wanted.get("answers")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_ANSWERS:
        message = f"Must be between 1 and {MAX_ANSWERS} in length."
        raise invalid("poll.answers", "BASE_TYPE_BAD_LENGTH", message)
    hours = wanted.get("duration") or DAY_H
    if not isinstance(hours, int | float) or not 1 <= hours <= MAX_HOURS:
        message = f"int value should be between 1 and {MAX_HOURS}."
        raise invalid("poll.duration", "NUMBER_TYPE_MAX", message)
    return Poll(
        question=_text(wanted.get("question"), "poll.question", MAX_QUESTION),
        answers=[_answer(one, f"poll.answers.{n}.poll_media") for n, one in enumerate(listed)],
        ends_at=time.time() + hours * 3600,
        allow_multiselect=bool(wanted.get("allow_multiselect")),
    )


def _answer(wanted: Any, path: str) -> PollAnswer:
    media = wanted.get("poll_media") if isinstance(wanted, dict) else None
    text = _text(media, path, MAX_ANSWER)
    emoji = (media or {}).get("emoji") or {}
    if not emoji.get("id"):
        return PollAnswer(text, emoji.get("name"))
    return PollAnswer(text, f"{emoji.get('name') or '_'}:{emoji['id']}")


def _text(media: Any, path: str, most: int) -> str:
    text = media.get("text") if isinstance(media, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise required(f"{path}.text")
    if len(text) > most:
        message = f"Must be {most} or fewer in length."
        raise invalid(f"{path}.text", "BASE_TYPE_MAX_LENGTH", message)
    return text


class PollRoutes:
    """/channels/{channel_id}/polls."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def table(self) -> list[web.RouteDef]:
        """The routes. Only people's clients have the one for votes; bots can't vote."""
        one = "/channels/{channel_id}/polls/{message_id}"
        return [
            web.put(f"{one}/answers/@me", self.vote),
            web.get(f"{one}/answers/{{answer_id}}", self.voters),
            web.post(f"{one}/expire", self.end),
        ]

    def _named(self, request: web.Request) -> tuple[Caller, Channel, Message]:
        who = rest.caller(self.core, request)
        channel = rest.channel_seen(self.core, who, rest.id_in(request, "channel_id"))
        if not self.core.world.reads(who.user.id, channel):
            raise missing_access()
        if not rest.may(self.core, who, channel, permissions.READ_MESSAGE_HISTORY):
            raise missing_permissions()
        message = self.core.world.message(channel.id, rest.id_in(request, "message_id"))
        if message is None:
            raise unknown("Message")
        return who, channel, message

    async def voters(self, request: web.Request) -> web.Response:
        """A page of the users who voted for an answer, by id."""
        _, _, message = self._named(request)
        answer_id = rest.id_in(request, "answer_id")
        if message.poll is None or answer_id not in message.poll.answer_ids:
            raise not_found()
        limit = rest.number_asked(request, "limit", 25, 1, 100)
        after = rest.id_asked(request, "after") or 0
        voted = sorted(message.poll.voters(answer_id))
        page = [id for id in voted if id > after][:limit]
        return rest.answer({"users": [self.core.payloads.user_by_id(id) for id in page]})

    async def vote(self, request: web.Request) -> web.Response:
        """Replace the caller's votes; an empty list takes them back."""
        who, channel, message = self._named(request)
        ids = [int(id) for id in (await rest.body_of(request)).json.get("answer_ids") or []]
        poll = message.poll
        if poll is None or who.user.bot:
            raise unknown("Message")
        if poll.is_over:
            raise OVER
        most = len(poll.answers) if poll.allow_multiselect else 1
        if len(ids) > most or not set(ids) <= set(poll.answer_ids):
            raise invalid("answer_ids", "BASE_TYPE_CHOICES", "Invalid answers")
        self.core.vote(channel, message, who.user.id, ids)
        return rest.nothing()

    async def end(self, request: web.Request) -> web.Response:
        """End the caller's own poll now; a message tells the results."""
        who, channel, message = self._named(request)
        if message.poll is None:
            raise NO_POLL
        if message.author_id != who.user.id:
            raise NOT_YOURS
        if message.poll.is_over:
            raise OVER
        message.poll.ends_at = time.time()
        self.core.change(message)
        self.core.post(self._results(channel, message, message.poll))
        return rest.answer(self.core.payloads.message(message, who.viewer(self.core)))

    def _results(self, channel: Channel, message: Message, poll: Poll) -> Message:
        """The system message that tells how a poll ended."""
        counts = {id: len(poll.voters(id)) for id in poll.answer_ids}
        best = max(counts.values())
        winners = [id for id, count in counts.items() if count == best]
        told = {
            "poll_question_text": poll.question,
            "victor_answer_votes": str(best),
            "total_votes": str(sum(counts.values())),
        }
        if best and len(winners) == 1:
            told["victor_answer_id"] = str(winners[0])
            told["victor_answer_text"] = poll.answers[winners[0] - 1].text
        fields = [{"name": name, "value": value, "inline": False} for name, value in told.items()]
        return Message(
            id=self.core.next_id(),
            channel_id=channel.id,
            author_id=message.author_id,
            type=POLL_RESULT,
            embeds=[{"type": "poll_result", "fields": fields}],
            reference=Reference(0, channel.id, message.id, channel.guild_id),
        )
