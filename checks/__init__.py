"""Judges: programs that try to make the product break a promise, and say whether it did.

They measure nothing; numbers are in `bench`. `python -m bench NAME` runs a check too, by the names
in CHECKS. Each named module offers `run(options: Options) -> Report`, and each of its targets is 0
faults.

| package | name | what it judges |
|---|---|---|
| `chaos` | chaos | kills, a full disk, a wrong clock, faults of Discord |
| `folder` | folder | a folder of mixed files: each is searched, or refused in words |
| `fuzzing` | fuzz | hostile files, messages, settings, questions and buttons |
| `permissions` | permissions | what members of random servers are shown through every command |
| `mutants` | mutants | whether the tests notice broken copies of the product |

A check drives the product from outside: it starts the bot, speaks to the sandbox as a member does
(`sandbox.person`), and looks into the gallery's file. It may import `sandbox`, `pocket`, the parts
of `bot` and `index` that it gives input to, and of `bench` only `report`, `options`, `photographs`
and the folder BUILD. Nothing imports `checks` but `python -m bench` and, for hostile clips,
`bench.frames`.

What decides who may read what is `checks.permissions.oracle`. It is written from Discord's
documentation alone: it imports neither the bot, nor the sandbox, nor discord.py, so that a mistake
in one of them can't hide in the other.
"""

CHECKS = {
    "chaos": "checks.chaos.run",
    "folder": "checks.folder",
    "fuzz": "checks.fuzzing.campaign",
    "mutants": "checks.mutants.campaign",
    "permissions": "checks.permissions.run",
}
