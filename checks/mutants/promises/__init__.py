"""The mutants, in a module for each kind of promise that they break.

A new promise gets an entry in a module here, or more than one if it can be broken in several ways.
"""

from __future__ import annotations

import importlib
import pkgutil

from checks.mutants.mutant import Mutant

BY_KIND: dict[str, tuple[Mutant, ...]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").MUTANTS
    for module in pkgutil.iter_modules(__path__)
}
MUTANTS: tuple[Mutant, ...] = tuple(mutant for some in BY_KIND.values() for mutant in some)


def with_word(word: str) -> list[Mutant]:
    """Those that have this word in their promise, their file's name, or the name of their kind."""
    return [
        mutant
        for kind, some in BY_KIND.items()
        for mutant in some
        if word in f"{kind} {mutant.promise} {mutant.file}"
    ]
