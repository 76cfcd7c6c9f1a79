"""A model answers the same at each start, and reads all that was asked."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

CALIBRATION = "tests/index/embed/test_calibration.py"

MUTANTS = (
    Mutant(
        "the number format is chosen by more than patches of colour",
        "index/embed/calibration.py",
        "SCENES, PATCHES = 12, 4",
        "SCENES, PATCHES = 0, 4",
        (CALIBRATION,),
    ),
    Mutant(
        "a busy machine decides nothing by time",
        "index/embed/calibration.py",
        "    if not (before.quiet and after.quiet):",
        "    if False:",
        (CALIBRATION,),
    ),
    Mutant(
        "the number format is the same at each start",
        "index/embed/calibration.py",
        "    known = choices.remembered(key)",
        "    known = None",
        (CALIBRATION,),
    ),
    Mutant(
        "a question is read to its end",
        "index/embed/tokens.py",
        "self._tokenizer.encode_special_tokens = True",
        "pass",
        ("tests/index/embed/test_tokens.py",),
    ),
    Mutant(
        "what nobody sees changes no ranking",
        "index/types/query.py",
        'text = _SELECTORS.sub("", text)',
        "text = text",
        ("tests/index/types/test_query.py",),
    ),
    Mutant(
        "a folder with program code of its own is explained",
        "index/embed/checkpoint.py",
        '    if "auto_map" in config:',
        "    if False:",
        ("tests/index/embed/test_checkpoint.py",),
    ),
    Mutant(
        "libraries say little in the operator's log",
        "bot/ops/logs.py",
        "level=max(least, logging.WARNING)",
        "level=least",
        ("tests/bot/ops/test_logs.py",),
    ),
)
