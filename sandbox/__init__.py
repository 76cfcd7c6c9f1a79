"""The Discord that fits on a desk: a small Discord-compatible server for tests and demos.

The unmodified discord.py connects to it, and so does a chat page that uses the routes of
Discord's own clients. Permissions and intents are enforced here, from Discord's documentation.

    python -m sandbox [--host H] [--port N] [--world FILE] [--data DIR]

    async with sandbox.serve(Path("world.json")) as server:   # in a test
        server.url, server.world, server.strike("gateway_drop"), server.exchanges

Where a client points for it (base is the URL it prints):

    discord.http.Route.BASE = base + "/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(ws base + "/gateway")
    discord.Asset.BASE = base + "/cdn"

Routes
    /                        the chat page (page/)
    /api/v10/…               Discord's REST API; `Bot TOKEN` for the bot, the bare token for people
        messages.py          channels' messages, reactions, pins, typing
        channels.py          channels, overwrites, threads and their members
        guilds.py            users, guilds, roles, members, stickers, search, /gateway/bot
        commands.py          application commands; /guilds/{id}/application-command-index
        interactions.py      POST /interactions, callbacks, /webhooks/{application}/{token}
    /gateway                 gateway.py: HELLO … RESUME, zlib-stream, close codes
    /cdn/…, /media/…         cdn.py: signed files, avatars, stickers; the resizing proxy
    /sandbox/people          who can be logged in as, with tokens
    /sandbox/faults          GET, PUT, DELETE; see below
    /sandbox/log             the last requests
    /sandbox/health          {"ready": true, …}

Events that only people's clients know, all to the one who asked:
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
    search    search_indexing

Inside: world.py (state), worldfile.py (the file it comes from), journal.py (what is kept over a
restart), payloads.py (state → JSON, held to discord.py's types), permissions.py, core.py (a
change, its event and its journal line as one), posting.py (request body → message),
components.py (Components V2 checked), unfurl.py (late embeds), rest.py (what all routes share),
server.py (one port for all). Beside these, person.py is a member's client, for tests and the demo:
it speaks to the server from outside and imports none of them.
"""

from .core import Clocks
from .errors import SandboxError, WorldError
from .server import Server, serve

__all__ = ["Clocks", "SandboxError", "Server", "WorldError", "serve"]
