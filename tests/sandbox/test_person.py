"""The client that the demo, the benches and these tests use."""

from __future__ import annotations

from sandbox import Server
from tests.sandbox.conftest import LogIn


async def test_a_client_reconnects_and_gets_new_messages(sandbox: Server, log_in: LogIn) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    before, seen = ada.session_id, ada.seen()
    await sandbox.gateway.sessions[before].socket.ws.close()
    await ada.event("READY", since=seen)
    assert ada.session_id != before
    posted = await mei.post(mei.channel("general"), "still there?")
    heard = await ada.event("MESSAGE_CREATE", since=seen)
    assert heard["id"] == posted["id"]
