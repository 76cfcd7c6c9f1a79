"""The mutants, in a module for each kind of promise that they break.

A new promise gets an entry in a module here, or more than one if it can be broken in several ways.
"""

from __future__ import annotations

import importlib
import pkgutil

from checks.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = tuple(
    mutant
    for module in pkgutil.iter_modules(__path__)
    for mutant in importlib.import_module(f"{__name__}.{module.name}").MUTANTS
)
