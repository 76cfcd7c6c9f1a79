"""The mutants, sorted by the kind of promise that each breaks.

A new promise gets an entry in a module here, or more than one if it can be broken in several ways.
"""

from __future__ import annotations

from checks.mutants.promises import (
    access,
    answers,
    backup,
    compatibility,
    decoders,
    deletion,
    endurance,
    fairness,
    folder,
    injection,
    models,
    pictures,
    privacy,
    unreadable,
)

KINDS = (
    access,
    answers,
    backup,
    compatibility,
    decoders,
    deletion,
    endurance,
    fairness,
    folder,
    injection,
    models,
    pictures,
    privacy,
    unreadable,
)
MUTANTS = tuple(mutant for kind in KINDS for mutant in kind.MUTANTS)
