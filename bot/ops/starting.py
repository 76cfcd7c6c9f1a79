"""Why the bot could not start, in sentences for whoever runs it."""

from __future__ import annotations

import aiohttp
import discord

from bot.ops.settings import Settings
from bot.platform.codes import AUTHENTICATION_FAILED
from bot.platform.unreadable import described, is_unreadable


class StartFailed(Exception):
    """Discord did not let the bot in; the text says why and what to do."""


def why_not_started(error: BaseException, settings: Settings) -> str | None:
    """Why the bot could not start and what to do about it; None for an unforeseen error."""
    portal = "https://discord.com/developers/applications"
    code = error.code if isinstance(error, discord.ConnectionClosed) else None
    if isinstance(error, discord.LoginFailure) or code == AUTHENTICATION_FAILED:
        return (
            "Discord does not know this DISCORD_TOKEN; reset the token under Bot at "
            f"{portal} and set the new one."
        )
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return (
            "The Message Content intent is off; switch it on under Bot, Privileged Gateway "
            f"Intents, at {portal}."
        )
    if isinstance(error, discord.GatewayNotFound | discord.DiscordServerError):
        return f"Discord at {settings.api} is having trouble ({error}); try again later."
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return (
            f"Discord at {settings.api} can't be reached ({error}); check the network"
            f"{' and DISCORD_API' if settings.redirected else ''}, then start again."
        )
    if isinstance(error, discord.ConnectionClosed):
        return f"Discord ended the connection ({error.code}: {error.reason or 'no reason given'})."
    if isinstance(error, discord.HTTPException):
        return f"Discord at {settings.api} refused to let the bot in ({error})."
    if is_unreadable(error):
        return (
            f"the server at {settings.api} does not speak as Discord's API v10 does "
            f"({described(error)}){'; check DISCORD_API' if settings.redirected else ''}."
        )
    return None
