"""Every sentence that a member or an admin reads."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

import discord
from discord import app_commands

from bot.download import DownloadError
from bot.logs import fields
from index import EmptyQuery, GalleryClosed, GalleryError, LinkGone, PictureError

log = logging.getLogger(__name__)

# ── Asking ───────────────────────────────────────────────────────────────────────────────

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
    "That message shows no picture. Choose one with a picture in it, "
    "or describe what you look for with `/find`."
)
ONLY_LINKS = (
    "I cannot look behind a link by itself. Once Discord shows its picture, reply to that "
    "message with `@Magpie`; or attach the picture here."
)
PICTURE_GONE = "That picture is no longer there, or no longer open to you."
SEARCH_GONE = "I have forgotten this search; they are kept for seven days. Please ask again."
NOT_YOURS = "These are somebody else’s results. Ask with `/find` to get your own."
WHO_ARE_YOU = (
    "Discord did not tell me your roles, so I cannot know what you may see. "
    "`/find` does the same and will work."
)

# ── Finding nothing ──────────────────────────────────────────────────────────────────────

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

# Said under each public answer, whether or not anything was left out.
ONLY_SHARED = (
    "Here I show only what everyone in this channel may see. "
    "The button searches all that you can read."
)


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
    """How far the history is read; no counts, since they would tell of closed channels."""
    if percent is None:
        return "I am still reading the older messages; some pictures may be missing yet."
    return (
        f"I am still reading the older messages, about {percent} % done; "
        "some pictures may be missing yet."
    )


def truncated(words_read: str) -> str:
    """The question was longer than the model reads."""
    return f"That was long; I read as far as “{quoted(words_read[-80:])}”."


def heading(words: str, picture: bool, *, first: bool = True, url: str | None = None) -> str:
    """What was asked: words, a picture (whose message is at `url`), or both.

    first   whether this is the beginning of the answer
    """
    this = f"[this picture]({url})" if url else "this picture"
    said = f"“{quoted(words)}”"
    what = f"{this} and {said}" if picture and words else this if picture else said
    return f"{'Closest to' if first else 'More for'} {what}"


def span(first: int, last: int, more: bool) -> str:
    """Which of the ranking are shown, counted from 1."""
    shown = f"Pictures {first}–{last}" if last > first else f"Picture {first}"
    return f"{shown}, best first" if more or first == last else f"{shown}, best first; that is all"


def several_pictures(chosen: int, count: int) -> str:
    return f"The message shows {count} pictures; this is for number {chosen + 1}. The others:"


def quoted(words: str, limit: int = 150) -> str:
    """Somebody's words, safe to show inside a sentence."""
    tidy = " ".join(words.split())
    short = tidy if len(tidy) <= limit else tidy[: limit - 1].rstrip() + "…"
    return discord.utils.escape_mentions(discord.utils.escape_markdown(short))


# ── What went wrong ──────────────────────────────────────────────────────────────────────

RESTARTING = "I am just restarting. Please ask again in a minute."
DISCORD_TROUBLE = "Discord is having trouble right now. Please try again in a minute."
TOO_SLOW = "That took too long, so I gave up. Please try again in a minute."
COMMANDS_CHANGED = "My commands have just changed. Reload Discord (Ctrl+R) and try again."
NOT_PERMITTED = (
    "Discord does not let me do that here: I am missing a permission in this channel. "
    "Somebody who manages the server can give it to my role."
)
NOT_ALLOWED = "That command is not open to you here."


class Refusal(Exception):
    """What was asked cannot be had; its text is the sentence to say."""


UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008  # Discord's error codes
MISSING_ACCESS, MISSING_PERMISSIONS = 50001, 50013


def sentence(error: BaseException) -> str:
    """What to tell whoever ran into `error`.

    What nobody expected, and what only the operator can mend, is logged with its traceback
    under a short reference that the sentence names.
    """
    return _expected(error) or _referenced(error)


def is_expected(error: BaseException) -> bool:
    """Whether `error` has a sentence of its own, and so nothing needs looking into."""
    return _expected(error) is not None


def _expected(error: BaseException) -> str | None:
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, app_commands.AppCommandError):
        return _of_command(error)
    if isinstance(error, GalleryError):
        return _of_gallery(error)
    if isinstance(error, discord.HTTPException):
        return _of_discord(error)
    if isinstance(error, DownloadError | Refusal):
        return str(error)
    return TOO_SLOW if isinstance(error, TimeoutError) else None


def _of_gallery(error: GalleryError) -> str | None:
    if isinstance(error, EmptyQuery):
        return ASK_SOMETHING
    if isinstance(error, LinkGone):
        return PICTURE_GONE
    if isinstance(error, GalleryClosed):
        return RESTARTING
    if isinstance(error, PictureError):
        return str(error)
    return None  # trouble with the model or the store: its text names files of the machine


def _of_discord(error: discord.HTTPException) -> str | None:
    if error.code in (MISSING_ACCESS, MISSING_PERMISSIONS):
        return NOT_PERMITTED
    if error.code in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE):
        return PICTURE_GONE
    return DISCORD_TROUBLE if error.status >= 500 or error.status == 429 else None


def _of_command(error: app_commands.AppCommandError) -> str | None:
    if isinstance(error, app_commands.NoPrivateMessage):
        return NOT_IN_A_SERVER
    if isinstance(error, app_commands.MissingPermissions):
        return f"You need {_named(error.missing_permissions)} for that."
    if isinstance(error, app_commands.BotMissingPermissions):
        return f"I need {_named(error.missing_permissions)} here for that."
    if isinstance(error, app_commands.CommandOnCooldown):
        return f"That was quick. Please wait {error.retry_after:.0f} seconds."
    if isinstance(error, app_commands.TransformerError):
        return f"I cannot make sense of “{quoted(str(error.value))}” there."
    if isinstance(error, app_commands.CheckFailure):
        return NOT_ALLOWED
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return COMMANDS_CHANGED
    return None


def _named(permissions: Iterable[str]) -> str:
    """Permissions as Discord's settings call them: "Manage Server and Embed Links"."""
    names = [_SETTINGS_NAMES.get(name, name.replace("_", " ").title()) for name in permissions]
    *most, last = names
    return f"the permissions {', '.join(most)} and {last}" if most else f"the permission {last}"


_SETTINGS_NAMES = {"manage_guild": "Manage Server", "read_messages": "View Channel"}


def _referenced(error: BaseException) -> str:
    reference = secrets.token_hex(3)
    log.error(fields("unexpected_error", reference=reference), exc_info=error)
    return (
        "Something went wrong on my side. Whoever runs me finds the details in my log under "
        f"`{reference}`."
    )
