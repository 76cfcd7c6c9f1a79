"""What fits nothing is said to be nothing."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

CUTOFF = "tests/index/answering/test_cutoff.py"
BACKGROUND = "tests/index/answering/test_background.py"
READING = "tests/index/answering/test_reading.py"

MUTANTS = (
    Mutant(
        "one part of a question is enough",
        "index/answering/cutoff.py",
        "vectors[:JUDGED]).min(axis=0)",
        "vectors[:JUDGED]).max(axis=0)",
        (CUTOFF,),
    ),
    Mutant(
        "text that the model only spells may fit",
        "index/answering/cutoff.py",
        "if spelled or not fits.any():",
        "if not fits.any():",
        (CUTOFF,),
    ),
    Mutant(
        "a subject behind its place is not seen",
        "index/answering/background.py",
        "return np.maximum(first, self._share(own, left, none))",
        "return first",
        (BACKGROUND,),
    ),
    Mutant(
        "synonyms compete with each other",
        "index/answering/background.py",
        "rivals: Bools = similar < SYNONYM",
        "rivals: Bools = similar < 2",
        (BACKGROUND,),
    ),
    Mutant(
        "SigLIP's bias is left out",
        "index/answering/background.py",
        "        if self.bias is None:\n",
        "        if self.bias is None or self.bias:\n",
        (BACKGROUND,),
    ),
    Mutant(
        "an answer is sure before the model has read the background",
        "index/answering/cutoff.py",
        "return Judgement(np.ones(count, bool), np.zeros(count, bool), Verdict.UNSURE)",
        "return Judgement(np.ones(count, bool), np.ones(count, bool), Verdict.SURE)",
        (CUTOFF,),
    ),
    Mutant(
        "the vocabulary is read at each start",
        "index/answering/reading.py",
        "            os.replace(made, path)\n",
        "            os.unlink(made)\n",
        (READING,),
    ),
)
