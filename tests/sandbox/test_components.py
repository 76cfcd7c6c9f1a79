"""Discord's limits on components; each error names its field."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import components
from sandbox.errors import ApiError

Json = dict[str, Any]


def text(content: str = "x") -> Json:
    return {"type": 10, "content": content}


def button(custom_id: str = "b", **more: Any) -> Json:
    return {"type": 2, "style": 1, "label": "x", "custom_id": custom_id, **more}


def row(*children: Json) -> Json:
    return {"type": 1, "components": list(children)}


def gallery(count: int) -> Json:
    item = {"media": {"url": "https://pictures.example/x.png"}}
    return {"type": 12, "items": [item] * count}


def container(*children: Json) -> Json:
    return {"type": 17, "components": list(children)}


GOOD: list[list[Json]] = [
    [text()],
    [container(text(), gallery(10), row(button()))],
    [{"type": 9, "components": [text()], "accessory": button()}],
    [{"type": 14}, {"type": 13, "file": {"url": "attachment://a.png"}}],
    [text() for _ in range(40)],
    [text("x" * 4000)],
    [row(*[button(str(n)) for n in range(5)])],
    [row({"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]})],
    [row({"type": 2, "style": 5, "label": "x", "url": "https://discord.com"})],
]

BAD: list[tuple[list[Json], str]] = [
    ([text() for _ in range(41)], "components"),
    ([container(*[text()] * 40)], "components"),
    ([text("x" * 2001), text("x" * 2000)], "components"),
    ([gallery(11)], "components.0.items"),
    ([gallery(0)], "components.0.items"),
    ([row(*[button(str(n)) for n in range(6)])], "components.0.components"),
    ([row()], "components.0.components"),
    ([row(button("x" * 101))], "components.0.components.0.custom_id"),
    ([row(button("a"), button("a"))], "components.0.components.1.custom_id"),
    ([row(button(label="x" * 81))], "components.0.components.0.label"),
    ([row({"type": 2, "style": 1, "custom_id": "a"})], "components.0.components.0"),
    ([row({"type": 2, "style": 5, "label": "x"})], "components.0.components.0.url"),
    ([row({"type": 3, "custom_id": "s", "options": []})], "components.0.components.0.options"),
    ([row(text())], "components.0.components.0.type"),
    ([button()], "components.0.type"),
    ([container(container(text()))], "components.0.components.0.type"),
    ([text("")], "components.0.content"),
    ([{"type": 99}], "components.0.type"),
    ([{"type": 13, "file": {"url": "https://a.example/b.png"}}], "components.0.file.url"),
    ([{"type": 12, "items": [{"media": {"url": "no link"}}]}], "components.0.items.0.media.url"),
    ([{**text(), "id": 1}, {**text(), "id": 1}], "components"),
]


@pytest.mark.parametrize("given", GOOD)
def test_valid_components_are_accepted(given: list[Json]) -> None:
    assert components.clean(given, v2=True)


@pytest.mark.parametrize(("given", "spot"), BAD)
def test_invalid_components_are_refused_at_their_field(given: list[Json], spot: str) -> None:
    with pytest.raises(ApiError) as error:
        components.clean(given, v2=True)
    assert error.value.code == 50035
    found: Any = error.value.errors
    for part in spot.split("."):
        found = found[part]
    assert found["_errors"]


def test_without_the_flag_only_rows_are_accepted() -> None:
    components.clean([row(button())], v2=False)
    with pytest.raises(ApiError):
        components.clean([text()], v2=False)
    with pytest.raises(ApiError):
        components.clean([row(button(str(n))) for n in range(6)], v2=False)


def test_every_component_gets_an_id_of_its_own() -> None:
    given = [container(text(), row(button()), {**text(), "id": 2})]
    ids = [one["id"] for one in components.walk(components.clean(given, v2=True))]
    assert sorted(ids) == [1, 2, 3, 4, 5]
