"""`python -m trial_postgres`: a PostgreSQL server for trials, until Ctrl-C; prints its URL."""

from __future__ import annotations

import signal
import sys

from trial_postgres import Unavailable, serve


def main() -> int:
    """Run a server; returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with serve() as server:
            print(server.url, flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except Unavailable as exc:
        print(f"trial_postgres: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
