"""What was read in another way is read again."""

from __future__ import annotations

import hashlib
import tokenize
from pathlib import Path

from index.ocr import installed

FOLDER = Path(installed.__file__).parent
READ_BY = ("engine.py", "order.py")
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
# The revision, and the code that it stands for.
REVISION, CODE = 2, "678618b35ef44823"


def _code(file: Path) -> list[str]:
    """What a module says, without its comments, its docstrings and its layout."""
    with tokenize.open(file) as opened:
        tokens = list(tokenize.generate_tokens(opened.readline))
    return [one.string for one in tokens if one.type not in LAYOUT and one.string[:3] != '"""']


def test_the_revision_is_looked_at_when_the_reading_changes() -> None:
    code = [word for name in READ_BY for word in _code(FOLDER / name)]
    digest = hashlib.sha256("\n".join(code).encode()).hexdigest()[:16]
    assert (installed.OWN_REVISION, digest) == (REVISION, CODE), (
        "The code that reads words has changed. If it gives other lines for some picture, raise "
        "OWN_REVISION in index/ocr/installed.py. Then write down here what it stands for."
    )
