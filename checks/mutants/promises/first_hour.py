"""A server is greeted once and set up in three clicks; examples tell only of what may be seen."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

WELCOME = "tests/bot/welcome/test_welcome.py"

MUTANTS = (
    Mutant(
        "a server is greeted once",
        "bot/welcome/welcome.py",
        "if guild.id in self._known or self._watched",
        "if self._watched",
        (f"{WELCOME}::test_a_server_is_greeted_once_until_it_is_left",),
    ),
    Mutant(
        "a server that was left is greeted again",
        "bot/maintenance/departures.py",
        "        await self._left(guild_id)\n",
        "",
        (f"{WELCOME}::test_a_server_is_greeted_once_until_it_is_left",),
    ),
    Mutant(
        "the greeting stands where moderators read",
        "bot/welcome/welcome.py",
        "        yield guild.public_updates_channel\n",
        "",
        (f"{WELCOME}::TestWhere",),
    ),
    Mutant(
        "only who may manage the server sets Magpie up",
        "bot/commands/setup.py",
        " or not interaction.permissions.manage_guild:",
        ":",
        (f"{WELCOME}::test_only_who_may_manage_the_server_can_use_it",),
    ),
    Mutant(
        "channels that were chosen are known after a restart",
        "bot/welcome/panel.py",
        "for menu in menus for value in menu.default_values)",
        "for menu in menus[:0] for value in menu.default_values)",
        (f"{WELCOME}::test_steps_work_after_a_restart",),
    ),
    Mutant(
        "the greeting goes on to show progress after a restart",
        "bot/app.py",
        "        self.welcomes.resume()\n",
        "",
        (f"{WELCOME}::test_the_greeting_goes_on_to_show_progress_after_a_restart",),
    ),
    Mutant(
        "a step names no channel that the admin can't see",
        "bot/welcome/panel.py",
        "        if sees(member, place) and (missing",
        "        if (missing",
        (f"{WELCOME}::test_a_channel_that_only_others_see_is_not_taken_from_who_names_it",),
    ),
    Mutant(
        "a server that invited Magpie while it was away is greeted",
        "bot/app.py",
        "        await self.welcomes.on_available(guild)\n",
        "",
        (f"{WELCOME}::test_a_server_that_invited_magpie_while_it_was_away_is_greeted_once",),
    ),
    Mutant(
        "a server that had Magpie before it could greet is not greeted",
        "bot/welcome/welcome.py",
        "max(self._since, time.time() - self._clocks.newcomer_s)",
        "time.time() - self._clocks.newcomer_s",
        (f"{WELCOME}::test_a_server_that_had_magpie_before_it_could_greet_is_not_greeted",),
    ),
    Mutant(
        "a gallery that was used counts its servers as old ones",
        "index/store/sqlite/migrations.py",
        "SELECT iif(EXISTS (SELECT 1 FROM model), ?, 0)",
        "SELECT iif(0, ?, 0)",
        ("tests/index/store/sqlite/test_migrations.py",),
    ),
    Mutant(
        "no background work begins after the close",
        "bot/ops/background.py",
        "        if self._closed:\n            task.cancel()\n",
        "",
        (
            "tests/bot/ops/test_background.py",
            f"{WELCOME}::test_after_the_close_no_greeting_shows_progress",
        ),
    ),
    Mutant(
        "a start that was cut off is done to its end by another click",
        "bot/commands/setup.py",
        "write_notes([one for one in channels if watched.covers(one)])",
        "write_notes(begun)",
        (f"{WELCOME}::test_a_kill_during_the_start_loses_nothing",),
    ),
    Mutant(
        "a greeting is kept before it is sent",
        "bot/welcome/welcome.py",
        "            await self._writer.keep_welcome(self._known[guild.id])\n",
        "",
        (f"{WELCOME}::test_a_greeting_that_was_not_sent_is_known",),
    ),
)
