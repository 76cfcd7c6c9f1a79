"""The sandbox behaves as Discord does, also for software that others wrote."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

GATEWAY = "tests/sandbox/test_gateway.py"
SETTINGS = "tests/sandbox/test_settings.py"
MESSAGES = "tests/sandbox/test_messages.py"
ROUTES = "tests/sandbox/test_routes.py"
RESTART = "tests/sandbox/test_restart.py"

MUTANTS = (
    Mutant(
        "frames of the gateway may be binary",
        "sandbox/gateway.py",
        "message.type not in (WSMsgType.TEXT, WSMsgType.BINARY)",
        "message.type is not WSMsgType.TEXT",
        (f"{GATEWAY}::test_frames_may_be_binary",),
    ),
    Mutant(
        "a session can be resumed on the socket that was told it is invalid",
        "sandbox/gateway.py",
        "            _detach(socket)\n            await socket.send(INVALID_SESSION",
        "            await socket.send(INVALID_SESSION",
        (f"{GATEWAY}::test_after_an_invalid_session_the_same_socket_resumes",),
    ),
    Mutant(
        "a channel without a topic says so",
        "sandbox/payloads.py",
        '{**base, "topic": channel.topic}',
        "base",
        (f"{SETTINGS}::test_a_channel_keeps_what_it_is_set_to",),
    ),
    Mutant(
        "a role keeps its colours",
        "sandbox/guilds.py",
        '        role.secondary_color = colors.get("secondary_color")\n',
        "",
        (f"{SETTINGS}::test_a_role_keeps_its_colours",),
    ),
    Mutant(
        "fields of embeds say whether they are inline",
        "sandbox/payloads.py",
        '[{"inline": False, **one} for one in embed["fields"]]',
        'embed["fields"]',
        (f"{MESSAGES}::test_fields_of_embeds_say_whether_they_are_inline",),
    ),
    Mutant(
        "an enforced nonce posts once",
        "sandbox/messages.py",
        'once = nonce if body.json.get("enforce_nonce") else None',
        "once = None",
        (f"{MESSAGES}::test_an_enforced_nonce_posts_once",),
    ),
    Mutant(
        "a route that the sandbox lacks is answered as Discord answers an unknown one",
        "sandbox/server.py",
        "lacking.table()]",
        "[]]",
        (f"{ROUTES}::test_a_route_that_is_lacking_is_answered_with_404",),
    ),
    Mutant(
        "a data folder has one sandbox",
        "sandbox/journal.py",
        "            self._held = lock.hold(self.folder)\n",
        "",
        (f"{RESTART}::test_a_data_folder_in_use_is_refused",),
    ),
)
