"""Addresses of databases: what is one, what is wrong with it, and what may be shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import fault_of, is_address, shown


def test_an_address_is_told_from_a_file() -> None:
    assert is_address("postgresql://server/magpie")
    assert is_address("postgres://server/magpie")
    assert not is_address("magpie.db")
    assert not is_address(Path("postgresql:") / "server")


@pytest.mark.parametrize("password", ["s3cret", "s3cret@home", "s3cret/a@b", "a?b@s3cret"])
def test_a_password_is_never_shown(password: str) -> None:
    address = f"postgresql://magpie:{password}@server:5433/gallery"
    assert shown(address) in ("postgresql://server:5433/gallery", "postgresql://…")
    assert "s3cret" not in shown(f"postgresql://server/gallery?password={password}")


def test_a_file_is_shown_as_it_is() -> None:
    assert shown(Path("a@b/magpie.db")) == "a@b/magpie.db"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("postgresql:///magpie", "names no server"),
        ("postgresql://server", "names no database"),
        ("postgresql://server:port/magpie", "must be an address"),
        ("postgresql://magpie:a#b@server/magpie", "%23"),
    ],
)
def test_what_is_wrong_is_said(address: str, fault: str) -> None:
    assert fault in (fault_of(address) or "")


def test_an_address_that_suits_has_no_fault() -> None:
    assert fault_of("postgresql://magpie:a%40b@server:5433/gallery") is None
