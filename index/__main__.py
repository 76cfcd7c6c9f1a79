"""`python -m index`: the command line, see `index.cli.main`."""

from __future__ import annotations

import sys

from console.called import as_typed
from index.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], program=as_typed()))
