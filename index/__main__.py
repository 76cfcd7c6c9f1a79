"""`python -m index`: the command line, see `index.cli.main`."""

from __future__ import annotations

import sys

from index.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
