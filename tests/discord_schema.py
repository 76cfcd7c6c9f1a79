"""Exchanges with the sandbox against Discord's published OpenAPI schema.

The schema is not part of this repository. It is read from where `DISCORD_OPENAPI` points, else
from `../shared/discord-openapi.json` beside the checkout; without it nothing is checked, and the
run says so in one line.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError

from sandbox.rest import Exchange

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ROOT.parent / "shared" / "discord-openapi.json"
ANSWERS = "urn:discord-openapi"
REQUESTS = "urn:discord-openapi:requests"  # the same, with ids that may be numbers

MAX_SHOWN = 10


@dataclass
class Report:
    """What a check found. `unknown` are routes that the schema does not have."""

    requests: int = 0
    answers: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Count what another check found too; its problems stay with the test that found them."""
        self.requests += other.requests
        self.answers += other.answers
        self.unknown.update(other.unknown)

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values: what `Report(**…)` takes in another process."""
        return {
            "requests": self.requests,
            "answers": self.answers,
            "unknown": dict(self.unknown),
        }

    def __str__(self) -> str:
        skipped = sum(self.unknown.values())
        return (
            f"{self.requests} requests and {self.answers} answers hold to Discord's schema, "
            f"{skipped} exchanges on routes it does not have"
        )


TOTAL = Report()  # of the whole run, for the line at its end


def path() -> Path | None:
    """Where the schema lies, or None."""
    if named := os.environ.get("DISCORD_OPENAPI"):
        return Path(named)
    return BESIDE if BESIDE.is_file() else None


def routes() -> set[str]:
    """All routes of the schema, each as METHOD /path."""
    methods = ("get", "put", "post", "patch", "delete")
    return {
        f"{method.upper()} {path}"
        for path, operations in _paths().items()
        for method in operations
        if method in methods
    }


def check(exchanges: Iterable[Exchange]) -> Report:
    """Check every request that was accepted, and every answer.

    People's requests are Discord's own clients' and not in the schema; their answers are checked
    where the route is.
    """
    report = Report()
    if path() is None:
        return report
    for exchange in exchanges:
        _check_one(exchange, report)
    TOTAL.add(report)
    return report


def assert_valid(exchanges: Iterable[Exchange]) -> Report:
    """Check, and fail with the first problems found."""
    report = check(exchanges)
    assert not report.problems, "\n".join(report.problems[:MAX_SHOWN])
    return report


def last_line() -> str:
    """One line for the end of a run."""
    if path() is None:
        return (
            "Discord's schema was not checked: set DISCORD_OPENAPI to the file openapi.json of "
            "Discord's api-spec repository"
        )
    return str(TOTAL)


def _check_one(exchange: Exchange, report: Report) -> None:
    operation = _paths().get(exchange.route, {}).get(exchange.method.lower())
    if operation is None:
        report.unknown[f"{exchange.method} {exchange.route or exchange.path}"] += 1
        return
    spot = ["paths", exchange.route, exchange.method.lower()]
    if exchange.request is not None and exchange.who == "bot" and exchange.status < 400:
        content = operation.get("requestBody", {}).get("content", {})
        kind = "application/json" if "application/json" in content else "multipart/form-data"
        if kind in content:
            pointer = _pointer(*spot, "requestBody", "content", kind, "schema")
            report.requests += 1
            _validate(REQUESTS, pointer, exchange.request, f"request {_name(exchange)}", report)
    _check_answer(exchange, operation, spot, report)


def _check_answer(
    exchange: Exchange, operation: dict[str, Any], spot: list[str], report: Report
) -> None:
    if exchange.status >= 500:
        return  # a fault that was asked for
    responses = operation["responses"]
    status = str(exchange.status) if str(exchange.status) in responses else "4XX"
    name = f"answer {exchange.status} to {_name(exchange)}"
    if status not in responses or (status == "4XX" and exchange.status < 400):
        report.problems.append(f"{name}: Discord never answers with {exchange.status} here")
        return
    response, where = responses[status], [*spot, "responses", status]
    if "$ref" in response:
        where = response["$ref"].removeprefix("#/").split("/")
        response = functools.reduce(lambda value, key: value[key], where, _schema())
    content = response.get("content", {})
    report.answers += 1
    if not content:
        if exchange.response:
            report.problems.append(f"{name}: a body where Discord has none")
        return
    pointer = _pointer(*where, "content", "application/json", "schema")
    _validate(ANSWERS, pointer, exchange.answer(), name, report)


def _validate(uri: str, pointer: str, value: Any, name: str, report: Report) -> None:
    for error in _validator(uri, pointer).iter_errors(value):
        cause = _cause(error)
        where = "".join(f"[{part!r}]" for part in cause.instance_path)
        report.problems.append(f"{name}: {where} {cause.message[:300]}")


def _cause(error: ValidationError) -> ValidationError:
    """The error that matters among those of a union's members.

    The member that was meant is the one whose `type` fits; its deepest error is told.
    """
    members = [one for one in getattr(error.kind, "context", ()) if one]
    if not members:
        return error
    depth = len(error.instance_path)
    meant = min(
        members,
        key=lambda errors: (any(_about_type(one, depth) for one in errors), len(errors)),
    )
    return _cause(max(meant, key=lambda one: len(one.instance_path)))


def _about_type(error: ValidationError, depth: int) -> bool:
    """Whether an error says that another member of the union at this depth was meant."""
    if len(error.instance_path) == depth:
        return error.kind.name == "type"
    return error.instance_path[-1] == "type"


def _name(exchange: Exchange) -> str:
    return f"{exchange.method} {exchange.route}"


def _pointer(*parts: str) -> str:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts)
    return "/".join(("", *escaped))


@functools.cache
def _schema() -> dict[str, Any]:
    where = path()
    assert where is not None
    loaded: dict[str, Any] = json.loads(where.read_text(encoding="utf-8"))
    schemas = loaded["components"]["schemas"]
    # Where the published schema is behind Discord's documentation and its wire: forwards, and
    # the codes of single fields in an error, which are words such as BASE_TYPE_REQUIRED.
    schemas["MessageReferenceType"]["oneOf"].append({"const": 1, "title": "FORWARD"})
    schemas["InnerErrors"]["properties"]["_errors"]["items"] = {
        "type": "object",
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        "required": ["code", "message"],
    }
    return loaded


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = _schema()["paths"]
    return paths


@functools.cache
def _registry() -> Registry:
    # Discord takes ids in requests as numbers too, and discord.py sends some so. It takes
    # permissions as text, which its documentation asks for, and the schema has only numbers.
    lenient = copy.deepcopy(_schema())
    lenient["components"]["schemas"]["SnowflakeType"]["type"] = ["string", "integer"]
    overwrite = lenient["paths"]["/channels/{channel_id}/permissions/{overwrite_id}"]["put"]
    named = overwrite["requestBody"]["content"]["application/json"]["schema"]["properties"]
    for name in ("allow", "deny"):
        named[name]["type"] = ["string", *named[name]["type"]]
    return Registry([(ANSWERS, _schema()), (REQUESTS, lenient)], draft=Draft202012)


@functools.cache
def _validator(uri: str, pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{uri}#{_quoted(pointer)}"}, registry=_registry())


def _quoted(pointer: str) -> str:
    return pointer.replace("{", "%7B").replace("}", "%7D")
