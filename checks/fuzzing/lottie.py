"""A small Lottie animation, made by code."""

from __future__ import annotations

import json
from collections.abc import Sequence


def animation(colour: Sequence[int] = (200, 30, 30), edge: int = 160, frames: int = 30) -> bytes:
    """A disc of this colour that goes over a square of it, which fills the picture at its end."""
    fixed = {"a": 0, "k": [0, 0]}
    fill = {"ty": "fl", "c": {"a": 0, "k": [each / 255 for each in colour] + [1]}, "o": _is(100)}
    placed = {"ty": "tr", "p": fixed, "a": fixed, "s": _is([100, 100]), "r": _is(0), "o": _is(100)}

    def layer(number: int, shape: dict[str, object], place: object) -> dict[str, object]:
        return {
            "ddd": 0, "ind": number, "ty": 4, "nm": "", "sr": 1, "ip": 0, "op": frames, "st": 0,
            "ks": {
                "o": _is(100), "r": _is(0), "p": place, "a": _is([0, 0, 0]), "s": _is([100] * 3),
            },
            "ao": 0, "bm": 0, "shapes": [{"ty": "gr", "it": [shape, fill, placed]}],
        }  # fmt: skip

    disc: dict[str, object] = {"ty": "el", "p": fixed, "s": _is([edge / 3, edge / 3])}
    square: dict[str, object] = {"ty": "rc", "p": fixed, "s": _is([edge, edge / 2]), "r": _is(0)}
    ease = {"x": 0.5, "y": 0.5}
    start, end = [edge / 6, edge / 4, 0], [edge * 5 / 6, edge / 4, 0]
    moves = {
        "a": 1,
        "k": [{"t": 0, "s": start, "e": end, "i": ease, "o": ease}, {"t": frames - 1, "s": end}],
    }
    layers = [layer(1, disc, moves), layer(2, square, _is([edge / 2, edge * 3 / 4, 0]))]
    whole = {
        "v": "5.5.7", "fr": 30, "ip": 0, "op": frames, "w": edge, "h": edge, "nm": "", "ddd": 0,
        "assets": [], "layers": layers,
    }  # fmt: skip
    return json.dumps(whole).encode()


def _is(value: object) -> dict[str, object]:
    """A property that doesn't move."""
    return {"a": 0, "k": value}
