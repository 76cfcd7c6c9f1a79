"""A mapping that remembers only what was put in last."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

V = TypeVar("V")


class Recent(OrderedDict[int, V]):
    """By id, at most `most` of them; the longest unused goes first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def put(self, key: int, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > self.most:
            self.popitem(last=False)
