"""What discord.py can't read, and servers that are nearly Discord's, stop nothing."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

UNREADABLE = "tests/bot/test_unreadable.py"
OTHER = "tests/bot/test_other_servers.py"
HEALTH = "tests/bot/ops/test_health.py"

MUTANTS = (
    Mutant(
        "an event that can't be read is left out alone",
        "bot/platform/state.py",
        "            if name != NEEDED:",
        "            if False:",
        (f"{UNREADABLE}::test_live_messages_that_cannot_be_read_are_left_out_alone",),
    ),
    Mutant(
        "a message is read without odd fields that hold no picture",
        "bot/platform/unreadable.py",
        "if key not in DISPENSABLE}",
        "if True}",
        (f"{UNREADABLE}::test_pictures_are_found_beside_odd_fields_that_hold_none",),
    ),
    Mutant(
        "what can't be read is not taken for deleted",
        "bot/sync/history.py",
        "_missing_from(page.ids, known, oldest, before)",
        "_missing_from([m.id for m in page.messages], known, oldest, before)",
        (f"{UNREADABLE}::test_a_message_that_cannot_be_read_any_more_is_not_taken_for_deleted",),
    ),
    Mutant(
        "nothing is shown of a server whose roles can't be read",
        "bot/platform/state.py",
        "            self._unsure_roles[guild.id].add(role)\n            guild.unavailable = True",
        "            self._unsure_roles[guild.id].add(role)",
        (f"{UNREADABLE}::test_nothing_is_shown_of_a_server_whose_roles_cannot_be_read",),
    ),
    Mutant(
        "nothing is shown of a channel whose change can't be read",
        "bot/platform/state.py",
        "            self._unsure.add(channel)",
        "            pass",
        (f"{UNREADABLE}::test_nothing_is_shown_of_a_channel_whose_change_cannot_be_read",),
    ),
    Mutant(
        "a channel of unknown permissions is closed to members",
        "bot/access/permissions.py",
        "    if not permissions_known(channel):\n        return None\n",
        "",
        (f"{UNREADABLE}::test_a_channel_that_does_not_tell_who_may_see_it_is_shown_to_nobody",),
    ),
    Mutant(
        "silence about permissions is not taken for leave to see",
        "bot/platform/unreadable.py",
        "or not TELLS[key](part):",
        "or False:",
        (f"{UNREADABLE}::test_a_channel_that_does_not_tell_who_may_see_it_is_shown_to_nobody",),
    ),
    Mutant(
        "an overwrite needs all its fields",
        "bot/platform/unreadable.py",
        'and None not in (snowflake(one, "allow"), snowflake(one, "deny"))',
        "and True",
        (f"{UNREADABLE}::test_a_channel_that_does_not_tell_who_may_see_it_is_shown_to_nobody",),
    ),
    Mutant(
        "a channel that doesn't tell its age restriction stays restricted",
        "bot/platform/unreadable.py",
        'return part | {"nsfw": nsfw}',
        'return part | {"nsfw": False}',
        (f"{UNREADABLE}::test_a_channel_that_does_not_tell_whether_it_is_age_restricted_stays_so",),
    ),
    Mutant(
        "a server's announcement is checked as a channel's is",
        "bot/platform/state.py",
        "            readable = self._complete_guild(data)",
        "            readable = data",
        (f"{UNREADABLE}::test_a_server_whose_channels_do_not_tell_who_may_see_them_has_none",),
    ),
    Mutant(
        "a server opens again when the role in doubt can be read",
        "bot/platform/state.py",
        "        doubts.discard(role)",
        "        pass",
        (f"{UNREADABLE}::test_a_server_opens_again_when_its_roles_can_be_read",),
    ),
    Mutant(
        "a server stays closed until the role in doubt can be read",
        "bot/platform/state.py",
        "        if not doubts or role == ALL_ROLES:",
        "        if True:",
        (f"{UNREADABLE}::test_a_server_opens_again_when_its_roles_can_be_read",),
    ),
    Mutant(
        "no role ends an outage",
        "bot/platform/state.py",
        '        self._unsure_roles.pop(int(data["id"]), None)  # an outage',
        "        # an outage",
        (f"{UNREADABLE}::test_no_role_ends_an_outage",),
    ),
    Mutant(
        "a change of a server ends no outage",
        "bot/platform/state.py",
        "                guild.unavailable = outage",
        "                pass",
        (f"{UNREADABLE}::test_no_role_ends_an_outage",),
    ),
    Mutant(
        "lists of channels show nothing during an outage",
        "bot/access/permissions.py",
        "        raise Refusal(text.outage)",
        "        pass",
        (f"{UNREADABLE}::test_a_role_that_does_not_tell_its_permissions_closes_the_server",),
    ),
    Mutant(
        "a deletion is followed by its channel if it doesn't tell its server",
        "bot/platform/state.py",
        '        return {} if guild is None else {"guild_id": guild}',
        "        return {}",
        (f"{UNREADABLE}::test_threads_and_channels_are_erased_whatever_their_deletion_lacks",),
    ),
    Mutant(
        "a deletion is followed by its message's id alone",
        "bot/sync/live.py",
        "self._watched.guilds() if guild_id is None else [guild_id]",
        "[] if guild_id is None else [guild_id]",
        (f"{UNREADABLE}::test_messages_are_erased_whatever_their_deletion_lacks",),
    ),
    Mutant(
        "one odd id doesn't keep other deleted messages",
        "bot/platform/state.py",
        "        known = [id for id in ids if id is not None]",
        "        known = ids",
        (f"{UNREADABLE}::test_messages_are_erased_whatever_their_deletion_lacks",),
    ),
    Mutant(
        "the deletion of a channel that could not be read is followed",
        "bot/platform/state.py",
        '            self.dispatch("unknown_channel_delete", guild.id, id)',
        "            pass",
        (f"{UNREADABLE}::test_the_deletion_of_a_channel_that_could_not_be_read_is_followed",),
    ),
    Mutant(
        "an edit that can't be read is followed",
        "bot/platform/state.py",
        '                self.dispatch("unread_edit", *ids)',
        "                pass",
        (f"{UNREADABLE}::test_an_edit_that_cannot_be_read_is_followed_by_reading_its_message",),
    ),
    Mutant(
        "an archived thread that can't be read hides no other",
        "bot/platform/listings.py",
        "            except Unreadable:\n                continue",
        "            except Unreadable:\n                return",
        (f"{UNREADABLE}::test_archived_threads_are_listed_around_one_that_cannot_be_read",),
    ),
    Mutant(
        "/status counts what can't be read only where its asker may read",
        "bot/commands/status.py",
        "in unread.messages(guild.id).items() if id in seen",
        "in unread.messages(guild.id).items()",
        (f"{UNREADABLE}::test_unread_messages_are_counted_only_for_those_who_can_read_them",),
    ),
    Mutant(
        "an answer may name its charset",
        "bot/app.py",
        "        trace.on_request_end.append(name_plain_json)\n",
        "",
        (f"{OTHER}::test_it_works_where_answers_name_a_charset_and_leave_fields_out",),
    ),
    Mutant(
        "a server that hangs up leaves no traceback",
        "bot/ask/respond.py",
        "    except RequestFailed as refusal:",
        "    except discord.HTTPException as refusal:",
        (f"{OTHER}::test_a_server_that_hangs_up_leaves_no_traceback",),
    ),
    Mutant(
        "the time that Discord takes to answer is a true one",
        "bot/platform/heartbeat.py",
        " if latency < _interval_s(client, id)",
        "",
        (f"{HEALTH}::test_an_answer_that_overtakes_its_heartbeat_is_not_measured",),
    ),
    Mutant(
        "a bot that downloads its model counts as well",
        "bot/ops/probe.py",
        "    if state == STARTING:",
        "    if False:",
        (f"{HEALTH}::test_a_bot_that_downloads_its_model_is_starting_and_well",),
    ),
)
