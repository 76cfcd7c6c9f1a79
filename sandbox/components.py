"""Message components: checks Discord's limits, and fills in ids and defaults.

    1 action row   2 button   3, 5–8 selects
    9 section   10 text   11 thumbnail   12 gallery   13 file   14 separator   17 container

The second line's types exist only with the Components V2 flag. A message may have 40 components,
nested ones included, and 4,000 characters of text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .errors import invalid, invalid_all

MAX_COMPONENTS = 40
MAX_TEXT = 4000
MAX_CUSTOM_ID = 100
MAX_GALLERY = 10
MAX_BUTTONS = 5
MAX_OPTIONS = 25

ROW, BUTTON, SELECT = 1, 2, 3
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
SELECTS = (3, 5, 6, 7, 8)
TOP_V1 = (ROW,)
TOP_V2 = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER)
IN_CONTAINER = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR)

Problems = list[tuple[str, str, str]]
Component = dict[str, Any]


def walk(components: list[Component]) -> Iterator[Component]:
    """All components of a message; nested ones come after their parent."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        for key in ("accessory", "component"):  # of a section, of a label in a form
            if held := component.get(key):
                yield from walk([held])


def media_items(components: list[Component]) -> Iterator[Component]:
    """All media objects ({"url": …}) that the components show."""
    for component in walk(components):
        for item in component.get("items") or []:
            yield item["media"]
        for key in ("media", "file"):
            if key in component:
                yield component[key]


def text_displays(components: list[Component]) -> Iterator[str]:
    """The texts that the components show as markdown."""
    return (component["content"] for component in walk(components) if component["type"] == TEXT)


EMBED_ADDRESSES = (
    ("image", "url"),
    ("thumbnail", "url"),
    ("author", "icon_url"),
    ("footer", "icon_url"),
)


def addresses(
    embeds: list[dict[str, Any]], components: list[Component]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Where embeds and components name a picture: an object, and its key for the address."""
    for embed in embeds:
        for part, key in EMBED_ADDRESSES:
            if (embed.get(part) or {}).get(key):
                yield embed[part], key
    for item in media_items(components):
        yield item, "url"


def clean(components: Any, *, v2: bool) -> list[Component]:
    """The components as Discord stores them: numbered, with defaults.

    raises  ApiError 50035 that names each field over a limit
    """
    if not isinstance(components, list):
        raise invalid("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    check = _Check(v2)
    if not v2 and len(components) > 5:
        check.problem("components", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
    top = TOP_V2 if v2 else TOP_V1
    cleaned = [check.one(one, f"components.{n}", top) for n, one in enumerate(components)]
    check.totals(cleaned)
    if check.problems:
        raise invalid_all(check.problems)
    _number(cleaned)
    return cleaned


def find(components: list[Component], custom_id: str, component_type: int) -> Component | None:
    """The button or select of this custom_id, unless it is disabled."""
    for component in walk(components):
        if component.get("custom_id") == custom_id and component["type"] == component_type:
            return None if component.get("disabled") else component
    return None


def numbered(form: list[Component]) -> list[Component]:
    """The parts of a form, each with its id."""
    _number(form)
    return form


def filled_in(given: list[Component], form: list[Component]) -> list[Component]:
    """What a person filled in, with the ids that the parts have in the form."""
    ids: dict[tuple[int, str], int] = {}
    for part in form:
        for inner in walk([part]):
            if custom_id := inner.get("custom_id"):
                ids[inner["type"], custom_id] = inner["id"]
                ids.setdefault((part["type"], custom_id), part["id"])
    return [_with_ids(part, ids) for part in given]


def _with_ids(part: Component, ids: dict[tuple[int, str], int]) -> Component:
    custom_id = next((one["custom_id"] for one in walk([part]) if one.get("custom_id")), "")
    known = {**part, "id": ids.get((part.get("type", 0), custom_id), 0)}
    if "components" in part:
        known["components"] = [_with_ids(one, ids) for one in part["components"]]
    if "component" in part:
        known["component"] = _with_ids(part["component"], ids)
    return known


def _number(components: list[Component]) -> None:
    """Give each component without an id the next free number, from 1."""
    taken = {one["id"] for one in walk(components) if one.get("id")}
    next_id = 1
    for component in walk(components):
        if not component.get("id"):
            while next_id in taken:
                next_id += 1
            component["id"] = next_id
            taken.add(next_id)


class _Check:
    """One pass over a message's components, which collects their errors."""

    def __init__(self, v2: bool) -> None:
        self.v2 = v2
        self.problems: Problems = []
        self.custom_ids: set[str] = set()
        self._by_type: dict[int, Callable[[Component, str], Component]] = {
            ROW: self._row,
            BUTTON: self._button,
            SECTION: self._section,
            TEXT: self._text,
            THUMBNAIL: self._thumbnail,
            GALLERY: self._gallery,
            FILE: self._file,
            SEPARATOR: self._separator,
            CONTAINER: self._container,
        }
        self._by_type.update(dict.fromkeys(SELECTS, self._select))

    def problem(self, path: str, code: str, message: str) -> None:
        """Add an error at a path."""
        self.problems.append((path, code, message))

    def one(self, component: Any, path: str, allowed: tuple[int, ...]) -> Component:
        """A component of one of the allowed types, with defaults."""
        kind = component.get("type") if isinstance(component, dict) else None
        if kind not in allowed:
            choices = ", ".join(map(str, allowed))
            self.problem(f"{path}.type", "UNION_TYPE_CHOICES", f"Value must be one of ({choices}).")
            return {"type": kind or 0}
        cleaned = self._by_type[kind](component, path)
        return {"type": kind, "id": component.get("id") or 0, **cleaned}

    def totals(self, components: list[Component]) -> None:
        """Check the limits for all components of a message together."""
        everything = list(walk(components))
        if len(everything) > MAX_COMPONENTS:
            message = f"The total number of components cannot exceed {MAX_COMPONENTS}"
            self.problem("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
        text = sum(len(one.get("content", "")) for one in everything if one["type"] == TEXT)
        if text > MAX_TEXT:
            message = f"The total displayable text cannot exceed {MAX_TEXT} characters"
            self.problem("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)
        ids = [one["id"] for one in everything if one.get("id")]
        if len(set(ids)) < len(ids):
            message = "Component ids must be unique within a message"
            self.problem("components", "COMPONENT_ID_DUPLICATED", message)

    def _children(
        self, component: Component, path: str, allowed: tuple[int, ...], most: int
    ) -> list[Component]:
        children = component.get("components")
        if not isinstance(children, list) or not 1 <= len(children) <= most:
            message = f"Must be between 1 and {most} in length."
            self.problem(f"{path}.components", "BASE_TYPE_BAD_LENGTH", message)
            return []
        return [self.one(one, f"{path}.components.{n}", allowed) for n, one in enumerate(children)]

    def _row(self, component: Component, path: str) -> Component:
        children = self._children(component, path, (BUTTON, *SELECTS), MAX_BUTTONS)
        if len(children) > 1 and any(one["type"] in SELECTS for one in children):
            message = "A select menu takes a whole row"
            self.problem(f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)
        return {"components": children}

    def _custom_id(self, component: Component, path: str) -> str:
        custom_id = component.get("custom_id")
        if not isinstance(custom_id, str) or not custom_id:
            self.problem(f"{path}.custom_id", "BASE_TYPE_REQUIRED", "This field is required")
            return ""
        if len(custom_id) > MAX_CUSTOM_ID:
            message = f"Must be between 1 and {MAX_CUSTOM_ID} in length."
            self.problem(f"{path}.custom_id", "BASE_TYPE_BAD_LENGTH", message)
        if custom_id in self.custom_ids:
            message = "Component custom id cannot be duplicated"
            self.problem(f"{path}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        self.custom_ids.add(custom_id)
        return custom_id

    def _button(self, component: Component, path: str) -> Component:
        style = component.get("style")
        cleaned: Component = {"style": style, "disabled": bool(component.get("disabled", False))}
        if style == 5:
            if not is_link(component.get("url")):
                self.problem(f"{path}.url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
            cleaned["url"] = component.get("url")
        elif style in (1, 2, 3, 4):
            cleaned["custom_id"] = self._custom_id(component, path)
        else:
            message = "Value must be one of (1, 2, 3, 4, 5)."
            self.problem(f"{path}.style", "BASE_TYPE_CHOICES", message)
        if label := component.get("label"):
            self._length(label, f"{path}.label", 80)
            cleaned["label"] = label
        if emoji := component.get("emoji"):
            cleaned["emoji"] = {"id": emoji.get("id"), "name": emoji.get("name")}
            if emoji.get("animated"):
                cleaned["emoji"]["animated"] = True
        if not label and not emoji:
            message = "A button needs a label or an emoji"
            self.problem(path, "BUTTON_COMPONENT_INVALID", message)
        return cleaned

    def _select(self, component: Component, path: str) -> Component:
        cleaned: Component = {
            "custom_id": self._custom_id(component, path),
            "min_values": component.get("min_values", 1),
            "max_values": component.get("max_values", 1),
            "disabled": bool(component.get("disabled", False)),
        }
        if placeholder := component.get("placeholder"):
            self._length(placeholder, f"{path}.placeholder", 150)
            cleaned["placeholder"] = placeholder
        if component["type"] == SELECT:
            options = component.get("options") or []
            if not 1 <= len(options) <= MAX_OPTIONS:
                message = f"Must be between 1 and {MAX_OPTIONS} in length."
                self.problem(f"{path}.options", "BASE_TYPE_BAD_LENGTH", message)
            for n, option in enumerate(options):
                self._length(option.get("label", ""), f"{path}.options.{n}.label", 100)
                self._length(option.get("value", ""), f"{path}.options.{n}.value", 100)
            cleaned["options"] = options
        if "channel_types" in component:
            cleaned["channel_types"] = component["channel_types"]
        if "default_values" in component:
            values = component["default_values"]
            if len(values) > cleaned["max_values"]:
                message = "The number of default values must be in the range of values"
                self.problem(f"{path}.default_values", "BASE_TYPE_BAD_LENGTH", message)
            cleaned["default_values"] = [{**value, "id": str(value["id"])} for value in values]
        return cleaned

    def _section(self, component: Component, path: str) -> Component:
        accessory = self.one(component.get("accessory"), f"{path}.accessory", (BUTTON, THUMBNAIL))
        return {"components": self._children(component, path, (TEXT,), 3), "accessory": accessory}

    def _text(self, component: Component, path: str) -> Component:
        content = component.get("content")
        if not isinstance(content, str) or not content:
            self.problem(f"{path}.content", "BASE_TYPE_REQUIRED", "This field is required")
            content = ""
        self._length(content, f"{path}.content", MAX_TEXT)
        return {"content": content}

    def _media(self, media: Any, path: str, *, only_uploads: bool = False) -> Component:
        url = media.get("url") if isinstance(media, dict) else None
        if not isinstance(url, str) or not url:
            self.problem(f"{path}.url", "BASE_TYPE_REQUIRED", "This field is required")
        elif only_uploads and not url.startswith("attachment://"):
            message = "Only attachment:// references are allowed"
            self.problem(f"{path}.url", "UNFURLED_MEDIA_ITEM_REFERENCED", message)
        elif not is_link(url) and not url.startswith(("attachment://", "media:")):
            self.problem(f"{path}.url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        return {"url": url or ""}

    def _described(self, component: Component, path: str) -> Component:
        description = component.get("description")
        if description is not None:
            self._length(description, f"{path}.description", 1024)
        return {"description": description, "spoiler": bool(component.get("spoiler", False))}

    def _thumbnail(self, component: Component, path: str) -> Component:
        media = self._media(component.get("media"), f"{path}.media")
        return {"media": media, **self._described(component, path)}

    def _gallery(self, component: Component, path: str) -> Component:
        items = component.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_GALLERY:
            message = f"Must be between 1 and {MAX_GALLERY} in length."
            self.problem(f"{path}.items", "BASE_TYPE_BAD_LENGTH", message)
            return {"items": []}
        return {
            "items": [
                {
                    "media": self._media(item.get("media"), f"{path}.items.{n}.media"),
                    **self._described(item, f"{path}.items.{n}"),
                }
                for n, item in enumerate(items)
            ]
        }

    def _file(self, component: Component, path: str) -> Component:
        return {
            "file": self._media(component.get("file"), f"{path}.file", only_uploads=True),
            "spoiler": bool(component.get("spoiler", False)),
        }

    def _separator(self, component: Component, path: str) -> Component:
        spacing = component.get("spacing", 1)
        if spacing not in (1, 2):
            self.problem(f"{path}.spacing", "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
        return {"divider": bool(component.get("divider", True)), "spacing": spacing}

    def _container(self, component: Component, path: str) -> Component:
        color = component.get("accent_color")
        if color is not None and not (isinstance(color, int) and 0 <= color <= 0xFFFFFF):
            message = "int value should be between 0 and 16777215."
            self.problem(f"{path}.accent_color", "NUMBER_TYPE_MAX", message)
        return {
            "components": self._children(component, path, IN_CONTAINER, MAX_COMPONENTS),
            "accent_color": color,
            "spoiler": bool(component.get("spoiler", False)),
        }

    def _length(self, text: str, path: str, limit: int) -> None:
        if len(text) > limit:
            message = f"Must be {limit} or fewer in length."
            self.problem(path, "BASE_TYPE_MAX_LENGTH", message)


def is_link(url: Any) -> bool:
    """Whether it is a web address."""
    return isinstance(url, str) and bool(re.match(r"(https?|discord)://\S+$", url))
