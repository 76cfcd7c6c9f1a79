"""Moves a gallery from one engine to the other, also while a bot goes on with it."""

from index.store.moving.check import Checked, TableCheck
from index.store.moving.moving import Moved, move

__all__ = ["Checked", "Moved", "TableCheck", "move"]
