"""The mutants, sorted by the kind of promise that each breaks.

A new promise gets an entry in a module here, or more than one if it can be broken in several ways.
"""

from __future__ import annotations

from checks.mutants.promises import (
    access,
    answers,
    decoders,
    deletion,
    endurance,
    pictures,
    privacy,
    strangers,
)

_KINDS = (access, answers, decoders, deletion, endurance, pictures, privacy, strangers)
MUTANTS = tuple(mutant for kind in _KINDS for mutant in kind.MUTANTS)
