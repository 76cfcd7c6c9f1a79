"""The gateway: a websocket for each client, the events that it may see, and replay after a break.

A session outlives its socket. Its events are numbered and kept in a bounded buffer. A writer sends
the events that the socket has not had yet, so a RESUME needs no special case. This module decides,
from permissions and intents, who gets an event and how much of a message a bot without the message
content intent sees.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aiohttp import WSMsgType, web

from .faults import Fault, Faults
from .links import Links
from .payloads import Payloads, Viewer, everybody
from .world import Channel, Guild, Member, User, World

if TYPE_CHECKING:
    from discord.types.gateway import GuildMembersChunkEvent, ReadyEvent, ThreadListSyncEvent

log = logging.getLogger(__name__)

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 8, 9, 10, 11

HEARTBEAT_MS = 41_250
MAX_KEPT_EVENTS = 2000  # a session that is further behind cannot be resumed
SESSION_LIFE_S = 300  # how long a session without a socket can be resumed
MEMBERS_A_CHUNK = 1000

# close codes
UNKNOWN_ERROR, UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED = 4000, 4001, 4002, 4003
AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED, SESSION_TIMED_OUT = 4004, 4005, 4009
INVALID_SHARD, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4013, 4014

# intents
GUILDS, MEMBERS, EXPRESSIONS, PRESENCES = 1 << 0, 1 << 1, 1 << 3, 1 << 8
MESSAGES, REACTIONS, TYPING, MESSAGE_CONTENT = 1 << 9, 1 << 10, 1 << 11, 1 << 15
POLLS = 1 << 24
# The intent for the same in direct messages. What is not here needs none.
OF_DIRECT = {MESSAGES: 1 << 12, REACTIONS: 1 << 13, TYPING: 1 << 14, POLLS: 1 << 25}
ALL_INTENTS = (1 << 26) - 1
PRIVILEGED_BITS = {"members": MEMBERS, "presences": PRESENCES, "message_content": MESSAGE_CONTENT}

INTENT_OF = {
    "GUILD_CREATE": GUILDS,
    "GUILD_UPDATE": GUILDS,
    "GUILD_DELETE": GUILDS,
    "GUILD_ROLE_CREATE": GUILDS,
    "GUILD_ROLE_UPDATE": GUILDS,
    "GUILD_ROLE_DELETE": GUILDS,
    "CHANNEL_CREATE": GUILDS,
    "CHANNEL_UPDATE": GUILDS,
    "CHANNEL_DELETE": GUILDS,
    "CHANNEL_PINS_UPDATE": GUILDS,
    "THREAD_CREATE": GUILDS,
    "THREAD_UPDATE": GUILDS,
    "THREAD_DELETE": GUILDS,
    "THREAD_LIST_SYNC": GUILDS,
    "THREAD_MEMBER_UPDATE": GUILDS,
    "THREAD_MEMBERS_UPDATE": GUILDS,  # about others only with MEMBERS, see _wants
    "GUILD_MEMBER_ADD": MEMBERS,
    "GUILD_MEMBER_UPDATE": MEMBERS,
    "GUILD_MEMBER_REMOVE": MEMBERS,
    "GUILD_STICKERS_UPDATE": EXPRESSIONS,
    "MESSAGE_CREATE": MESSAGES,
    "MESSAGE_UPDATE": MESSAGES,
    "MESSAGE_DELETE": MESSAGES,
    "MESSAGE_DELETE_BULK": MESSAGES,
    "MESSAGE_REACTION_ADD": REACTIONS,
    "MESSAGE_REACTION_REMOVE": REACTIONS,
    "MESSAGE_REACTION_REMOVE_ALL": REACTIONS,
    "MESSAGE_REACTION_REMOVE_EMOJI": REACTIONS,
    "MESSAGE_POLL_VOTE_ADD": POLLS,
    "MESSAGE_POLL_VOTE_REMOVE": POLLS,
    "TYPING_START": TYPING,
}

Build = Callable[[Viewer], Mapping[str, Any]]


@dataclass
class Session:
    """One identified client. `events` are (sequence, frame); `sent` is the last one sent."""

    id: str
    user: User
    token: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    sent: int = 0
    events: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MAX_KEPT_EVENTS))
    more: asyncio.Event = field(default_factory=asyncio.Event)
    socket: Socket | None = None
    gone_since: float = 0.0
    channels: set[int] = field(default_factory=set)  # channels and threads that its user can see
    missed: set[str] = field(default_factory=set)  # names of events that a fault dropped

    @property
    def viewer(self) -> Viewer:
        """The viewer that its payloads are made for."""
        return Viewer(self.user.id, content=bool(self.intents & MESSAGE_CONTENT))

    def covers(self, guild_id: int) -> bool:
        """Whether the guild is on this session's shard; direct messages, of guild 0, are on the
        first one."""
        return (guild_id >> 22) % self.shard[1] == self.shard[0]

    def add(self, name: str, data: Mapping[str, Any]) -> None:
        """Number an event and add it to the buffer."""
        self.sequence += 1
        frame = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.events.append((self.sequence, json.dumps(frame)))
        self.more.set()

    def can_resume_from(self, sequence: int) -> bool:
        """Whether all events after this one are still in the buffer."""
        oldest = self.events[0][0] if self.events else self.sequence + 1
        return oldest - 1 <= sequence <= self.sequence


class Socket:
    """One connection. It sends frames (as a zlib-stream if requested); a zombie sends nothing.

    session  None before IDENTIFY or RESUME, and after op 9, which takes the session off the socket
    writer   sends the session's events
    """

    def __init__(self, ws: web.WebSocketResponse, compressed: bool) -> None:
        self.ws = ws
        self.zombie = False
        self.session: Session | None = None
        self.writer: asyncio.Task[None] | None = None
        self._zlib = zlib.compressobj() if compressed else None

    async def send(self, op: int, data: Any = None) -> None:
        """Send a frame that isn't an event."""
        await self.send_text(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def send_text(self, text: str) -> None:
        """Send a frame; a closed or zombie socket drops it."""
        if self.zombie or self.ws.closed:
            return
        try:
            if self._zlib is None:
                await self.ws.send_str(text)
            else:
                data = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                await self.ws.send_bytes(data)
        except ConnectionError:
            log.debug("a client went while a frame was sent")


class Gateway:
    """All sessions, and the one way to send them events: `emit`."""

    def __init__(self, world: World, payloads: Payloads, links: Links, faults: Faults) -> None:
        self.world = world
        self.payloads = payloads
        self.links = links
        self.faults = faults
        self.sessions: dict[str, Session] = {}
        self.watchers: list[Callable[[], None]] = []  # called after every change of the world
        self.heartbeat_ms = HEARTBEAT_MS
        self._sockets: set[Socket] = set()
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    # sending events

    def emit(
        self,
        name: str,
        build: Build | Mapping[str, Any],
        *,
        guild: Guild | None = None,
        channel: Channel | None = None,
        only: Collection[int] | None = None,
        seen: bool = False,
    ) -> None:
        """Send an event to every session that may see it.

        build    the payload, or a function that makes it for a viewer
        guild    only to its members
        channel  only to those who can read it; with `seen`, to those who can see it
        only     only to these users
        """
        for session in list(self.sessions.values()):
            direct = channel is not None and channel.is_direct
            wanted = self._wants(session, name, direct=direct)
            if wanted and self._may_have(session, guild, channel, only, seen):
                data = build(session.viewer) if callable(build) else build
                if direct:
                    data = {key: value for key, value in data.items() if key != "guild_id"}
                self._deliver(session, name, data)
        for look in self.watchers:
            look()

    def readers(self, channel: Channel, *, seen: bool = False) -> set[int]:
        """The users who can read (or see) a channel; call it before the channel is deleted."""
        may = self.world.sees if seen else self.world.reads
        members = self.world.guild_of(channel).members
        return {id for id in (*members, *channel.recipients) if may(id, channel)}

    def _may_have(
        self,
        session: Session,
        guild: Guild | None,
        channel: Channel | None,
        only: Collection[int] | None,
        seen: bool,
    ) -> bool:
        guild_id = channel.guild_id if channel is not None else guild.id if guild else None
        if guild_id is not None and session.user.bot and not session.covers(guild_id):
            return False
        there = self.world.guilds.get(guild_id or 0)
        if there is not None and there.unavailable and only is None:
            return False
        if only is not None:
            return session.user.id in only
        if channel is not None:
            # Bots get all channels of their guilds, but only those threads that they can see.
            if seen and session.user.bot and channel.thread is None:
                return self.world.member(channel.guild_id, session.user.id) is not None
            may = self.world.sees if seen else self.world.reads
            return may(session.user.id, channel)
        return guild is not None and session.user.id in guild.members

    def _wants(self, session: Session, name: str, *, direct: bool = False) -> bool:
        intent = INTENT_OF.get(name)
        if direct and intent is not None:
            intent = OF_DIRECT.get(intent, 0)
            return not session.user.bot or not intent or bool(session.intents & intent)
        return intent is None or not session.user.bot or bool(session.intents & intent)

    def _deliver(self, session: Session, name: str, data: Mapping[str, Any]) -> None:
        fault = self.faults.for_event(name, "bot" if session.user.bot else "user")
        if fault is not None and fault.kind == "gateway_miss":
            session.missed.add(name)
            return
        session.add(name, data)
        if fault is not None and fault.kind == "gateway_repeat":
            session.add(name, data)

    def bot_is_connected(self) -> bool:
        """Whether the bot has a session with a socket."""
        return any(one.user.bot and one.socket is not None for one in self.sessions.values())

    def sync_channels(self, guild: Guild) -> None:
        """Send people channels that they gained or lost by a change of permissions."""
        for session in self.sessions.values():
            mine = {id for id in session.channels if id in guild.channels}
            now = self._shown(guild, session.user)
            session.channels = session.channels - mine | now
            if session.user.bot:
                if session.covers(guild.id):
                    self._send_threads(session, guild, now - mine)
                continue
            for id in now - mine:
                self._tell_channel(session, guild.channels[id], "CREATE")
            for id in mine - now:
                self._tell_channel(session, guild.channels[id], "DELETE")

    def _send_threads(self, session: Session, guild: Guild, gained: set[int]) -> None:
        """Send a bot the threads of channels that it can see from now on."""
        channels = [id for id in gained if guild.channels[id].thread is None]
        threads = [one for one in guild.threads() if one.parent_id in channels and one.id in gained]
        if not channels or not self._wants(session, "THREAD_LIST_SYNC"):
            return
        me = session.user.id
        mine = [one for one in threads if one.thread is not None and me in one.thread.members]
        event: ThreadListSyncEvent = {
            "guild_id": str(guild.id),
            "channel_ids": [str(id) for id in channels],
            "threads": [self.payloads.thread(one, me) for one in threads],
            "members": [self.payloads.thread_member(one, me) for one in mine],
        }
        self._deliver(session, "THREAD_LIST_SYNC", event)

    def _tell_channel(self, session: Session, channel: Channel, what: str) -> None:
        kind = "CHANNEL" if channel.thread is None else "THREAD"
        data = self.payloads.any_channel(channel, session.user.id)
        self._deliver(session, f"{kind}_{what}", data)

    def _shown(self, guild: Guild, user: User) -> set[int]:
        if user.id not in guild.members:
            return set()
        return {
            one.id
            for one in guild.channels.values()
            if self.world.sees(user.id, one) and not (one.thread and one.thread.archived)
        }

    # faults

    def break_now(self, fault: Fault) -> None:
        """Apply a gateway fault to the sockets that it names."""
        who = fault.who or "bot"
        for session in list(self.sessions.values()):
            if session.socket is None or who != ("bot" if session.user.bot else "user"):
                continue
            self._start(self._break(session, session.socket, fault))

    async def _break(self, session: Session, socket: Socket, fault: Fault) -> None:
        if fault.kind == "gateway_drop":
            await socket.ws.close(code=fault.close_code)
        elif fault.kind == "gateway_reconnect":
            await socket.send(RECONNECT)
        elif fault.kind == "gateway_invalid":
            if not fault.resumable:
                self.sessions.pop(session.id, None)
            _detach(socket)
            await socket.send(INVALID_SESSION, fault.resumable)
        elif fault.kind == "gateway_zombie":
            socket.zombie = True
            if fault.seconds is not None:
                await asyncio.sleep(fault.seconds)
                socket.zombie = False
                session.more.set()
                # It ended while its socket was a zombie, so the client doesn't know.
                if socket.session is None:
                    await socket.ws.close(code=SESSION_TIMED_OUT, message=b"Session timed out.")

    # connections

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """GET /gateway: one client from HELLO to close."""
        if self._closing:
            raise web.HTTPServiceUnavailable
        ws = web.WebSocketResponse(compress=False, max_msg_size=1 << 20)
        await ws.prepare(request)
        socket = Socket(ws, request.query.get("compress") == "zlib-stream")
        self._sockets.add(socket)
        try:
            await socket.send(HELLO, {"heartbeat_interval": self.heartbeat_ms, "_trace": []})
            while (frame := await self._receive(socket)) is not None:
                data = frame.get("d")
                await self._take(socket, frame.get("op"), data if isinstance(data, dict) else {})
        except (ValueError, KeyError, TypeError, IndexError):
            log.warning("a frame of a wrong shape", exc_info=True)
            await ws.close(code=DECODE_ERROR, message=b"Error while decoding payload.")
        finally:
            self._sockets.discard(socket)
            _detach(socket)
            if socket.writer is not None:
                socket.writer.cancel()
                await asyncio.gather(socket.writer, return_exceptions=True)
        return ws

    async def _take(self, socket: Socket, op: Any, data: dict[str, Any]) -> None:
        """Handle one frame."""
        if op == HEARTBEAT:
            await socket.send(HEARTBEAT_ACK)
        elif socket.session is not None:
            await self._take_identified(socket, socket.session, op, data)
        elif op == IDENTIFY:
            await self._identify(socket, data)
        elif op == RESUME:
            await self._resume(socket, data)
        else:
            await socket.ws.close(code=NOT_AUTHENTICATED, message=b"Not authenticated.")

    async def _take_identified(
        self, socket: Socket, session: Session, op: Any, data: dict[str, Any]
    ) -> None:
        if op == REQUEST_MEMBERS:
            self._send_members(session, data)
        elif op in (IDENTIFY, RESUME):
            await socket.ws.close(code=ALREADY_AUTHENTICATED, message=b"Already authenticated.")
        elif op not in (PRESENCE, VOICE_STATE) and not (isinstance(op, int) and op > 11):
            await socket.ws.close(code=UNKNOWN_OPCODE, message=b"Unknown opcode.")

    async def _receive(self, socket: Socket) -> dict[str, Any] | None:
        """The client's next frame; None when the connection is closed."""
        try:
            # a client that misses two heartbeats counts as disconnected
            message = await socket.ws.receive(timeout=self.heartbeat_ms / 1000 * 2.5)
        except TimeoutError:
            await socket.ws.close(code=SESSION_TIMED_OUT, message=b"Session timed out.")
            return None
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return None
        try:
            frame = json.loads(message.data)
        except ValueError:  # it isn't JSON, or a binary frame isn't UTF-8
            frame = None
        if not isinstance(frame, dict):
            await socket.ws.close(code=DECODE_ERROR, message=b"Error while decoding payload.")
            return None
        return frame

    async def _write(self, session: Session, socket: Socket) -> None:
        """Send the session's events to its socket as they come."""
        while session.socket is socket:
            session.more.clear()
            if not session.can_resume_from(session.sent):
                # It is further behind than the buffer reaches, so it needs a new session.
                self.sessions.pop(session.id, None)
                await socket.ws.close(code=UNKNOWN_ERROR, message=b"Too far behind.")
                return
            for sequence, text in [one for one in session.events if one[0] > session.sent]:
                if socket.zombie or socket.ws.closed or session.socket is not socket:
                    break
                session.sent = sequence
                await socket.send_text(text)
            await session.more.wait()

    # identifying and resuming

    async def _attach(self, session: Session, socket: Socket) -> None:
        """Make the socket the one that gets the session's events."""
        if socket.writer is not None:  # of the session that op 9 took off this socket
            await socket.writer
        session.socket, socket.session = socket, session
        socket.writer = asyncio.create_task(self._write(session, socket))

    async def _identify(self, socket: Socket, data: dict[str, Any]) -> None:
        token = str(data.get("token", "")).removeprefix("Bot ")
        user = self._user_of(token)
        if user is None:
            await socket.ws.close(code=AUTHENTICATION_FAILED, message=b"Authentication failed.")
            return
        if user.bot and (code := self._refused(data)):
            await socket.ws.close(code=code[0], message=code[1])
            return
        shard = data.get("shard") or [0, 1]
        session = Session(
            id=secrets.token_hex(16),
            user=user,
            token=token,
            intents=int(data["intents"]) if user.bot else ALL_INTENTS,
            shard=(int(shard[0]), int(shard[1])),
        )
        self._forget_old_sessions()
        await self._attach(session, socket)
        self.sessions[session.id] = session
        self._send_ready(session)

    def _refused(self, data: dict[str, Any]) -> tuple[int, bytes] | None:
        """The close code and reason for which a bot's IDENTIFY is refused; None when it isn't."""
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or intents & ~ALL_INTENTS:
            return INVALID_INTENTS, b"Invalid intent(s)."
        for name, bit in PRIVILEGED_BITS.items():
            if intents & bit and name not in self.world.application.privileged:
                return DISALLOWED_INTENTS, b"Disallowed intent(s)."
        shard = data.get("shard")
        if shard is not None and not _is_shard(shard):
            return INVALID_SHARD, b"Invalid shard."
        return None

    def _user_of(self, token: str) -> User | None:
        if token == self.world.application.token:
            return self.world.bot
        return self.world.person(token) if token else None

    async def _resume(self, socket: Socket, data: dict[str, Any]) -> None:
        session, sequence = self._resumable(data), data.get("seq")
        if session is None or sequence is None:
            await socket.send(INVALID_SESSION, False)
            return
        if session.socket is not None:
            self._start(_closed(session.socket))
            _detach(session.socket)
        await self._attach(session, socket)
        session.sent = sequence
        session.add("RESUMED", {"_trace": []})

    def _resumable(self, data: dict[str, Any]) -> Session | None:
        """The session that a RESUME names; None when it can't be resumed."""
        self._forget_old_sessions()
        session = self.sessions.get(str(data.get("session_id")))
        token = str(data.get("token", "")).removeprefix("Bot ")
        sequence = data.get("seq")
        if session is None or session.token != token or not isinstance(sequence, int):
            return None
        return session if session.can_resume_from(sequence) else None

    def _forget_old_sessions(self) -> None:
        now = time.monotonic()
        for session in list(self.sessions.values()):
            if session.socket is None and now - session.gone_since > SESSION_LIFE_S:
                del self.sessions[session.id]

    def _send_ready(self, session: Session) -> None:
        """Send READY, and to a bot a GUILD_CREATE for each guild."""
        mine = [
            guild
            for guild in self.world.guilds.values()
            if session.user.id in guild.members
            and (not session.user.bot or session.covers(guild.id))
        ]
        ready: ReadyEvent = {
            "v": 10,
            "user": self.payloads.me(session.user),
            "guilds": [self.payloads.unavailable(guild) for guild in mine],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {
                "id": str(self.world.application.id),
                "flags": self.payloads.application_flags(),
            },
        }
        there = [guild for guild in mine if not guild.unavailable]
        for guild in there:
            session.channels |= self._shown(guild, session.user)
        if session.user.bot:
            session.add("READY", ready)
            for guild in there:
                self.send_guild(session, guild)
            return
        guilds = [self._guild_for(session, guild) for guild in there]
        private = [
            self.payloads.direct(channel, session.user.id)
            for channel in self.world.home.channels.values()
            if session.user.id in channel.recipients
        ]
        session.add("READY", {**ready, "guilds": guilds, "private_channels": private})

    @property
    def url(self) -> str:
        """The websocket address, without query."""
        return self.links.base.replace("http", "ws", 1) + "/gateway"

    def send_guild_to(
        self, guild: Guild, user_ids: Collection[int], *, joined: bool = False
    ) -> None:
        """Send a guild to sessions of these users, who joined it or for whom it is back."""
        for session in list(self.sessions.values()):
            if session.user.id in user_ids and (not session.user.bot or session.covers(guild.id)):
                session.channels |= self._shown(guild, session.user)
                self.send_guild(session, guild, joined=joined)

    def send_to_itself(self, name: str, data: Mapping[str, Any], guild: Guild) -> None:
        """Send an event about the bot to its own sessions that lack the intent for it."""
        for session in self.sessions.values():
            mine = session.user.bot and session.covers(guild.id)
            if mine and not self._wants(session, name):
                self._deliver(session, name, data)

    def send_guild(self, session: Session, guild: Guild, *, joined: bool = False) -> None:
        """Send a guild to one session.

        For a guild that was just joined, `unavailable` is left out. By this, clients distinguish
        joining from the beginning or end of an outage.
        """
        if self._wants(session, "GUILD_CREATE"):
            data = dict(self._guild_for(session, guild))
            if joined:
                del data["unavailable"]
            self._deliver(session, "GUILD_CREATE", data)

    def _guild_for(self, session: Session, guild: Guild) -> Mapping[str, Any]:
        members = everybody(guild)
        if session.user.bot and not session.intents & MEMBERS:
            members = [guild.members[session.user.id]]
        return self.payloads.guild_create(
            guild, session.user, members=members, everything=session.user.bot
        )

    def _send_members(self, session: Session, data: dict[str, Any]) -> None:
        """Answer op 8: the requested members, in chunks."""
        guild = self.world.guilds.get(int(data.get("guild_id") or 0))
        if guild is None or session.user.id not in guild.members:
            return
        members = self._asked_for(guild, data)
        found = {member.user_id for member in members}
        missing = [str(id) for id in _ids_asked_for(data) if id not in found]
        chunks = [
            members[start : start + MEMBERS_A_CHUNK]
            for start in range(0, len(members), MEMBERS_A_CHUNK)
        ] or [[]]
        for index, chunk in enumerate(chunks):
            event: GuildMembersChunkEvent = {
                "guild_id": str(guild.id),
                "members": [self.payloads.member(member) for member in chunk],
                "chunk_index": index,
                "chunk_count": len(chunks),
                "not_found": cast("Any", missing) if index == 0 else [],
            }
            if data.get("presences"):
                event["presences"] = []
            if nonce := data.get("nonce"):
                event["nonce"] = str(nonce)
            session.add("GUILD_MEMBERS_CHUNK", event)

    def _asked_for(self, guild: Guild, data: dict[str, Any]) -> list[Member]:
        members = everybody(guild)
        if wanted := _ids_asked_for(data):
            return [member for member in members if member.user_id in wanted]
        query = str(data.get("query") or "").lower()
        found = [
            member
            for member in members
            if (member.nick or self.world.users[member.user_id].name).lower().startswith(query)
        ]
        limit = int(data.get("limit") or 0)
        return found[:limit] if limit else found

    # closing

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close all sockets with 1001, the code of a server that restarts.

        A client that reconnects at once is refused; otherwise the server would wait for it.
        """
        self._closing = True
        for task in list(self._tasks):
            task.cancel()
        closing = [one.ws.close(code=1001, message=b"Going away") for one in list(self._sockets)]
        await asyncio.gather(*closing, return_exceptions=True)


def _ids_asked_for(data: dict[str, Any]) -> list[int]:
    """The members that a request for members names: one id, a list of them, or none."""
    ids = data.get("user_ids") or []
    return [int(id) for id in (ids if isinstance(ids, list) else [ids])]


def _is_shard(value: Any) -> bool:
    """Whether it is a shard as IDENTIFY names it: its number, counted from 0, and how many."""
    match value:
        case [int(number), int(count)]:
            return 0 <= number < count
        case _:
            return False


def _detach(socket: Socket) -> None:
    """Take the session off its socket. It stays in memory and can be resumed for a while."""
    session, socket.session = socket.session, None
    if session is not None and session.socket is socket:
        session.socket = None
        session.gone_since = time.monotonic()
        session.more.set()  # so that the writer sees it and ends


async def _closed(socket: Socket) -> None:
    """Close a socket whose session another socket has taken over."""
    await socket.ws.close(code=UNKNOWN_ERROR)
