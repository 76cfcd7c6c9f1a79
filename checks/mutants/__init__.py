"""Whether the tests notice a product that breaks a promise.

Each mutant is a broken copy of the code: one change of a few words, which breaks one promise of
README, `docs/privacy.md` or `docs/reliability.md`. It names the tests that must notice. A mutant
survives when all of them pass. A promise that no test holds shows up here as a survivor.

survived   mutants that no test noticed
unjudged   mutants whose tests could not tell: the text to change isn't there, or the tests don't
           even start. They count as faults of the list
spurious   whether a test that is named fails without any change

`python -m bench mutants` runs all of them; `--only WORD` those that have this word in their
promise, their file's name, or the name of their kind, which is their module in `promises`.

| module | holds |
|---|---|
| `mutant` | what a mutant is, and its text in the code |
| `promises` | the list |
| `campaign` | makes the copies, and runs the tests on them |
"""
