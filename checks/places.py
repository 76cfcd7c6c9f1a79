"""Where the gallery of a judge is: in a file, or in PostgreSQL on a server of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import trial_postgres
from bench.options import POSTGRES


@contextlib.contextmanager
def empty(db: str, folder: Path) -> Iterator[str | Path]:
    """The place of a new gallery, which goes with the block or with its folder.

    db       SQLITE or POSTGRES
    folder   of the file
    raises   Unavailable: no server can be started here
    """
    if db != POSTGRES:
        yield folder / "magpie.db"
        return
    with trial_postgres.serve() as server:
        yield server.url
