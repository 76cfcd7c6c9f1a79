"""An upgrade breaks no gallery, can be taken back, and its operator is told of trouble."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

MIGRATIONS = "index/store/sqlite/migrations.py"
RELEASED = "tests/index/store/sqlite/test_released.py"
RESTORE = "tests/index/store/sqlite/test_restore.py"
HEALTH = "tests/bot/ops/test_health.py"
DEPLOY = "tests/test_deploy.py"

MUTANTS = (
    Mutant(
        "an upgrade forgets no opt-out",
        MIGRATIONS,
        '        "INSERT INTO left_out SELECT space, owner, 9e999 FROM opted_out",\n',
        "",
        (f"{RELEASED}::test_what_the_caller_remembered_is_there",),
    ),
    Mutant(
        "an upgrade goes on with a change of models",
        MIGRATIONS,
        "'dimension', dimension) FROM successor",
        "'dimension', dimension) FROM successor WHERE 0",
        (f"{RELEASED}::test_a_change_of_models_goes_on",),
    ),
    Mutant(
        "an upgrade forgets nothing that was said of pictures",
        MIGRATIONS,
        "DELETE FROM {table} WHERE NOT EXISTS (SELECT",
        "DELETE FROM {table} WHERE EXISTS (SELECT",
        (f"{RELEASED}::test_what_was_made_from_pictures_is_there",),
    ),
    Mutant(
        "an upgrade says that a backup is the way back",
        "index/store/sqlite/connections.py",
        "        if 0 < version < migrations.LATEST:\n",
        "        if False:\n",
        (f"{RELEASED}::test_the_upgrade_says_what_to_keep",),
    ),
    Mutant(
        "a refused downgrade says how to go back",
        "index/types/errors.py",
        'f"magpie restore BACKUP --db {shlex.quote(str(place))}"',
        '"..."',
        (f"{RESTORE}::test_an_earlier_magpie_goes_back_and_what_it_knows_of_the_newer_holds",),
    ),
    Mutant(
        "an earlier Magpie keeps what it can read of a newer gallery",
        "index/store/sqlite/carry_over.py",
        "                unread.append(name)\n",
        "                raise\n",
        (f"{RESTORE}::test_an_earlier_magpie_goes_back_and_what_it_knows_of_the_newer_holds",),
    ),
    Mutant(
        "Prometheus hears that the bot is not connected",
        "bot/ops/health.py",
        "metrics.ready.set(self._is_ready(now))",
        "metrics.ready.set(True)",
        (f"{HEALTH}::test_disconnected_bot_is_not_ready",),
    ),
    Mutant(
        "what the alerts and the dashboard ask for is exported",
        "bot/ops/metrics.py",
        '"magpie_disk_free_bytes"',
        '"magpie_free_bytes"',
        (f"{DEPLOY}::test_what_is_asked_of_prometheus_is_exported",),
    ),
)
