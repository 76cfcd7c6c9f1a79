"""Errors that refuse a request, as Discord's JSON error bodies.

    SandboxError
    ├── WorldError      a world file that cannot be used; the message names the place in it
    ├── FolderInUse     a data folder that another process uses
    └── ApiError        an HTTP status with Discord's code, message and errors by field

Codes and messages are those of Discord's list of JSON error codes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class SandboxError(Exception):
    """Any refusal of the sandbox; `str(error)` is a sentence for a person."""


class WorldError(SandboxError):
    """A world file that cannot be used; `spot` is the place in it."""

    def __init__(self, spot: str, problem: str) -> None:
        super().__init__(f"{spot}: {problem}")
        self.spot = spot


class FolderInUse(SandboxError):
    """A data folder that another process uses; `holder` is its id, if it is known."""

    def __init__(self, folder: Path, holder: int | None) -> None:
        process = f"process {holder}" if holder is not None else "another process"
        super().__init__(f"{folder} is in use by {process}")
        self.folder = folder
        self.holder = holder


class ApiError(SandboxError):
    """One refused request: HTTP status, Discord's error code, message, errors by field."""

    def __init__(
        self, status: int, code: int, message: str, errors: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """The JSON that Discord answers with."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


UNKNOWN_CODES = {
    "Account": 10001,
    "Application": 10002,
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "Permission Overwrite": 10009,
    "Role": 10011,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "Sticker": 10060,
    "interaction": 10062,
    "application command": 10063,
}


def unknown(thing: str) -> ApiError:
    """404 for something that does not exist: `unknown("Channel")` is 10003 Unknown Channel."""
    return ApiError(404, UNKNOWN_CODES[thing], f"Unknown {thing}")


def not_found() -> ApiError:
    """404 without a code of its own, as for an unknown path."""
    return ApiError(404, 0, "404: Not Found")


def unauthorized() -> ApiError:
    """401 for a missing or wrong token."""
    return ApiError(401, 0, "401: Unauthorized")


def missing_access() -> ApiError:
    """403 50001: the channel cannot be seen."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """403 50013: the channel can be seen, but the permission is missing."""
    return ApiError(403, 50013, "Missing Permissions")


NOT_TO_THIS_USER = ApiError(403, 50007, "Cannot send messages to this user")


def invalid(path: str, code: str, message: str) -> ApiError:
    """400 50035 with one error: `invalid("embeds.0.title", "BASE_TYPE_MAX_LENGTH", …)`."""
    return invalid_all([(path, code, message)])


def invalid_all(problems: list[tuple[str, str, str]]) -> ApiError:
    """400 50035 with several errors, each (dotted path, code, message)."""
    errors: dict[str, Any] = {}
    for path, code, message in problems:
        spot = errors
        for part in path.split(".") if path else []:
            spot = spot.setdefault(part, {})
        spot.setdefault("_errors", []).append({"code": code, "message": message})
    return ApiError(400, 50035, "Invalid Form Body", errors)


def too_long(path: str, limit: int) -> ApiError:
    """400 50035 for a text over its limit."""
    return invalid(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def required(path: str) -> ApiError:
    """400 50035 for a missing field."""
    return invalid(path, "BASE_TYPE_REQUIRED", "This field is required")
