"""Routes of Discord that the sandbox lacks. They are answered with Discord's own 404.

Other paths get that 404, too, and other methods of known paths get a 405. The README lists these.
"""

from __future__ import annotations

from aiohttp import web

from .errors import not_found

# by subject, each with its methods
LACKING = {
    "A server's settings and pages": [
        "GET /guilds/{guild_id}/audit-logs",
        "PUT /guilds/{guild_id}/incident-actions",
        "GET /guilds/{guild_id}/integrations",
        "DELETE /guilds/{guild_id}/integrations/{integration_id}",
        "GET /guilds/{guild_id}/new-member-welcome",
        "GET PUT /guilds/{guild_id}/onboarding",
        "GET /guilds/{guild_id}/preview",
        "GET /guilds/{guild_id}/requests",
        "PATCH /guilds/{guild_id}/requests/{request_id}",
        "GET PATCH /guilds/{guild_id}/welcome-screen",
        "GET PATCH /guilds/{guild_id}/widget",
        "GET /guilds/{guild_id}/widget.json",
        "GET /guilds/{guild_id}/widget.png",
    ],
    "Bans and clearing out": [
        "GET /guilds/{guild_id}/bans",
        "DELETE GET PUT /guilds/{guild_id}/bans/{user_id}",
        "POST /guilds/{guild_id}/bulk-ban",
        "GET POST /guilds/{guild_id}/prune",
    ],
    "Custom emojis": [
        "GET POST /applications/{application_id}/emojis",
        "DELETE GET PATCH /applications/{application_id}/emojis/{emoji_id}",
        "GET POST /guilds/{guild_id}/emojis",
        "DELETE GET PATCH /guilds/{guild_id}/emojis/{emoji_id}",
    ],
    "Group messages": [
        "DELETE PUT /channels/{channel_id}/recipients/{user_id}",
    ],
    "Invites": [
        "GET POST /channels/{channel_id}/invites",
        "GET /guilds/{guild_id}/invites",
        "GET /guilds/{guild_id}/vanity-url",
        "DELETE GET /invites/{code}",
        "GET PUT /invites/{code}/target-users",
        "GET /invites/{code}/target-users/job-status",
        "POST /lobbies/{lobby_id}/members/@me/invites",
        "POST /lobbies/{lobby_id}/members/{user_id}/invites",
    ],
    "Lobbies and partners' programs": [
        "POST PUT /lobbies",
        "DELETE GET PATCH /lobbies/{lobby_id}",
        "PATCH /lobbies/{lobby_id}/channel-linking",
        "DELETE /lobbies/{lobby_id}/members/@me",
        "POST /lobbies/{lobby_id}/members/bulk",
        "DELETE PUT /lobbies/{lobby_id}/members/{user_id}",
        "GET POST /lobbies/{lobby_id}/messages",
        "PUT /lobbies/{lobby_id}/messages/{message_id}/moderation-metadata",
        "PUT /partner-sdk/dms/{user_id_1}/{user_id_2}/messages/{message_id}/moderation-metadata",
        "POST /partner-sdk/provisional-accounts/unmerge",
        "POST /partner-sdk/provisional-accounts/unmerge/bot",
        "POST /partner-sdk/token",
        "POST /partner-sdk/token/bot",
    ],
    "Making stickers, and Discord's own": [
        "POST /guilds/{guild_id}/stickers",
        "DELETE PATCH /guilds/{guild_id}/stickers/{sticker_id}",
        "GET /sticker-packs",
        "GET /sticker-packs/{pack_id}",
    ],
    "Publishing in announcement channels": [
        "POST /channels/{channel_id}/followers",
        "POST /channels/{channel_id}/messages/{message_id}/crosspost",
    ],
    "Rules of automatic moderation": [
        "GET POST /guilds/{guild_id}/auto-moderation/rules",
        "DELETE GET PATCH /guilds/{guild_id}/auto-moderation/rules/{rule_id}",
    ],
    "Scheduled events": [
        "GET POST /guilds/{guild_id}/scheduled-events",
        "DELETE GET PATCH /guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}",
        "POST /guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}/exceptions",
        "DELETE PATCH /guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}/exceptions/{exception_id}",  # noqa: E501
        "GET /guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}/users",
        "GET /guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}/users/counts",
        "GET /guilds/{guild_id}/scheduled-events/{guild_scheduled_event_id}/{guild_scheduled_event_exception_id}/users",  # noqa: E501
    ],
    "Searching threads": [
        "GET /channels/{channel_id}/threads/search",
    ],
    "Signing in with Discord": [
        "GET PUT /applications/{application_id}/role-connections/metadata",
        "PUT /guilds/{guild_id}/members/{user_id}",
        "GET /oauth2/@me",
        "GET /oauth2/keys",
        "GET /oauth2/userinfo",
        "DELETE GET PUT /users/@me/applications/{application_id}/role-connection",
        "GET /users/@me/connections",
        "GET /users/@me/guilds/{guild_id}/member",
    ],
    "Soundboards": [
        "POST /channels/{channel_id}/send-soundboard-sound",
        "GET POST /guilds/{guild_id}/soundboard-sounds",
        "DELETE GET PATCH /guilds/{guild_id}/soundboard-sounds/{sound_id}",
        "GET /soundboard-default-sounds",
    ],
    "Templates of servers": [
        "GET /guilds/templates/{code}",
        "GET POST /guilds/{guild_id}/templates",
        "DELETE PATCH PUT /guilds/{guild_id}/templates/{code}",
    ],
    "The application and its account": [
        "PATCH /applications/@me",
        "GET PATCH /applications/{application_id}",
        "GET /applications/{application_id}/activity-instances/{instance_id}",
        "POST /applications/{application_id}/attachment",
        "PUT /applications/{application_id}/guilds/{guild_id}/commands/{command_id}/permissions",
        "PATCH /users/@me",
    ],
    "Things for sale": [
        "GET POST /applications/{application_id}/entitlements",
        "DELETE GET /applications/{application_id}/entitlements/{entitlement_id}",
        "POST /applications/{application_id}/entitlements/{entitlement_id}/consume",
        "GET /skus/{sku_id}/subscriptions",
        "GET /skus/{sku_id}/subscriptions/{subscription_id}",
        "GET /users/@me/applications/{application_id}/entitlements",
    ],
    "Voice and stages": [
        "PUT /channels/{channel_id}/voice-status",
        "GET /guilds/{guild_id}/regions",
        "GET PATCH /guilds/{guild_id}/voice-states/@me",
        "GET PATCH /guilds/{guild_id}/voice-states/{user_id}",
        "POST /stage-instances",
        "DELETE GET PATCH /stage-instances/{channel_id}",
        "GET /voice/regions",
    ],
    "Webhooks other than interactions": [
        "GET POST /channels/{channel_id}/webhooks",
        "GET /guilds/{guild_id}/webhooks",
        "DELETE GET PATCH /webhooks/{webhook_id}",
        "DELETE GET PATCH /webhooks/{webhook_id}/{webhook_token}",
        "POST /webhooks/{webhook_id}/{webhook_token}/github",
        "POST /webhooks/{webhook_id}/{webhook_token}/slack",
    ],
}


def table() -> list[web.RouteDef]:
    """The routes."""
    listed = [route.rsplit(" ", 1) for routes in LACKING.values() for route in routes]
    return [
        web.route(method, path, _refuse) for methods, path in listed for method in methods.split()
    ]


async def _refuse(_: web.Request) -> web.Response:
    raise not_found()
