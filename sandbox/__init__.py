"""A small Discord-compatible server for tests and demos.

An unmodified discord.py connects to it, and so does a chat page that uses the routes of Discord's
own clients. Permissions and intents are enforced as Discord's documentation describes them.

    python -m sandbox [--host H] [--port N] [--world FILE] [--data DIR]

    async with sandbox.serve(Path("world.json")) as server:   # in a test
        server.url, server.world, server.strike("gateway_drop"), server.exchanges

How a client is pointed at it (base is the URL that it prints):

    discord.http.Route.BASE = base + "/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(ws base + "/gateway")
    discord.Asset.BASE = base + "/cdn"

Routes
    /                        the chat page (page/)
    /api/v10/…               Discord's REST API; `Bot TOKEN` for the bot, the bare token for people
        messages.py          channels' messages, reactions, pins, typing
        channels.py          channels, overwrites, threads and their members
        guilds.py            users, guilds, roles, members, stickers, /gateway/bot
        search.py            the search in a server's messages
        commands.py          application commands; /guilds/{id}/application-command-index
        interactions.py      POST /interactions, callbacks, /webhooks/{application}/{token}
        polls.py             votes and the end of polls
        lacking.py           those of Discord that are not here, and answer 404
    /gateway                 gateway.py: HELLO … RESUME, zlib-stream, close codes
    /cdn/…, /media/…         cdn.py: signed files, avatars, stickers; the resizing proxy
    /sandbox/people          the people to log in as, with their tokens
    /sandbox/faults          GET, PUT, DELETE; see below
    /sandbox/log             the last requests
    /sandbox/health          {"ready": true, …}

Events that only people's clients get, all sent to the person who caused them:
    INTERACTION_CREATE, INTERACTION_SUCCESS, INTERACTION_FAILURE  {id, nonce}
    INTERACTION_MODAL_CREATE  {id, nonce, custom_id, title, components, channel_id, application};
        answered by POST /interactions with type 5 and data {id, custom_id, components}
    APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE  {nonce, choices}

Faults (faults.py has their parameters)
    requests  rate_limit, error, slow, late, drop, headers
    files     cdn_error, cdn_slow, cdn_truncated, cdn_expired, cdn_oversized, cdn_wrong
    gateway   gateway_drop, gateway_reconnect, gateway_invalid, gateway_zombie,
              gateway_miss, gateway_repeat
    guilds    outage, outage_over, leave, join
    search    search_indexing, search_short, search_totals, search_gifs

Modules: world.py (the state), worldfile.py (reads it from a file), journal.py (saves changes over a
restart), payloads.py (state → JSON, checked against discord.py's types), permissions.py, core.py
(makes a change, its event and its journal line together), posting.py (request body → message),
components.py (checks Components V2), settings.py (of channels and posts), unfurl.py (embeds of
links), rest.py (what all routes share), server.py (one port for all). person.py is a member's
client for tests and the demo: it talks to the server from outside and imports no other module.
"""

from .core import Clocks
from .errors import SandboxError, WorldError
from .server import Server, serve

__all__ = ["Clocks", "SandboxError", "Server", "WorldError", "serve"]
