"""A page is read by the browser of its machine alone, follows its gallery, and keeps to bounds."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

GUARD = "tests/serve/test_guard.py"
ASKING = "tests/serve/test_asking.py"
OPENED = "tests/serve/test_opened.py"
THUMBNAILS = "tests/serve/test_thumbnails.py"
MAP = "tests/index/cli/test_map.py"

MUTANTS = (
    Mutant(
        "a page needs its token",
        "serve/guard.py",
        "if _same(given, token):",
        "if True:",
        (GUARD,),
    ),
    Mutant(
        "what a browser is started with opens the page once",
        "serve/guard.py",
        "if self._used or not _same(given, self.letters):",
        "if not _same(given, self.letters):",
        (GUARD,),
    ),
    Mutant(
        "a browser is not started with the token",
        "serve/__main__.py",
        "args=(running.once,)",
        "args=(running.url,)",
        ("tests/serve/test_command.py",),
    ),
    Mutant(
        "a request without a path is refused in silence",
        "serve/guard.py",
        'if request.raw_path.startswith("/") else ""',
        'if True else ""',
        (GUARD,),
    ),
    Mutant(
        "a year that no calendar has closes no page",
        "serve/inventory.py",
        ".clip(EARLIEST, LATEST)",
        "",
        (OPENED,),
    ),
    Mutant(
        "a token is new at each start",
        "serve/guard.py",
        "return secrets.token_urlsafe(TOKEN_BYTES)",
        'return "x" * 32',
        (GUARD,),
    ),
    Mutant(
        "a name that is pointed at this machine opens no page",
        "serve/guard.py",
        'if request.headers.get(hdrs.HOST, "").lower() not in _hosts(port):',
        "if False:",
        (GUARD,),
    ),
    Mutant(
        "another origin reads no page",
        "serve/guard.py",
        "if origin is not None and origin.lower() not in origins:",
        "if False:",
        (GUARD,),
    ),
    Mutant(
        "another site without an origin reads no page",
        "serve/guard.py",
        'if request.headers.get("Sec-Fetch-Site", "none") not in SAME_SITE:',
        "if False:",
        (GUARD,),
    ),
    Mutant(
        "a page loads nothing from elsewhere",
        "serve/guard.py",
        "answer.headers.setdefault(name, value)",
        "pass",
        (GUARD,),
    ),
    Mutant(
        "a link out of the folder is not followed",
        "serve/files.py",
        "if not is_under(real, inside):",
        "if False:",
        (GUARD,),
    ),
    Mutant(
        "pictures of other folders stay out of a page",
        "serve/inventory.py",
        "if is_under(source, root)",
        "if source",
        (GUARD,),
    ),
    Mutant(
        "a folder outside can't be asked for",
        "serve/asking.py",
        "if not is_under(folder, self._opened.root):",
        "if False:",
        (ASKING,),
    ),
    Mutant(
        "a listing has the same bytes once",
        "serve/inventory.py",
        "return self.links[places[np.sort(first)]]",
        "return self.links[places]",
        (ASKING,),
    ),
    Mutant(
        "a picture that was replaced has another version",
        "serve/inventory.py",
        "return base64.urlsafe_b64encode(self.keys[place][:3]).decode()",
        'return "same"',
        (ASKING,),
    ),
    Mutant(
        "similar pictures are others",
        "serve/asking.py",
        "filter = replace(filter, without=frozenset(same.get(like, {like: None})))",
        "pass",
        (ASKING,),
    ),
    Mutant(
        "a page follows what others write",
        "index/gallery.py",
        "await self._engine.reload()",
        "pass",
        (OPENED,),
    ),
    Mutant(
        "a page tells what is added",
        "serve/opened.py",
        "self.adding.follow(tally)",
        "pass",
        (OPENED,),
    ),
    Mutant(
        "the gallery is free when a page has added",
        "serve/opened.py",
        "        await before.close()",
        "        pass",
        (OPENED,),
    ),
    Mutant(
        "thumbnails are erased with their pictures",
        "index/cli/thumbnails.py",
        "self._erase(db, [id for id, key in rows if key not in kept])",
        "pass",
        (THUMBNAILS,),
    ),
    Mutant(
        "thumbnails keep within their bound",
        "index/cli/thumbnails.py",
        "if self._bytes > self._most_bytes:",
        "if False:",
        (THUMBNAILS,),
    ),
    Mutant(
        "the thumbnail asked for last is made first",
        "serve/thumbnails.py",
        "turn = self._waiting.pop()\n",
        "turn = self._waiting.pop(0)\n",
        (THUMBNAILS,),
    ),
    Mutant(
        "nobody makes a thumbnail whose request was dropped",
        "serve/server.py",
        "handler_cancellation=True",
        "handler_cancellation=False",
        (THUMBNAILS,),
    ),
    Mutant(
        "the page of a map runs no script but its own",
        "index/drawing/atlas_page.py",
        '.replace("<", "\\\\u003c")',
        "",
        (MAP,),
    ),
    Mutant(
        "the page of a map keeps within its bound",
        "index/cli/commands/map.py",
        "if picture is not None and left >= 0:",
        "if picture is not None:",
        (MAP,),
    ),
)
