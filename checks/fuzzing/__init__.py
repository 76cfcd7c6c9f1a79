"""Fuzzing: what the product does with files, messages and questions that mean harm.

Each input follows from a seed, its kind and its number, so a failure can be had again:

    python -m bench fuzz --seed 7            all kinds
    python -m checks.fuzzing pictures 7 1234 1 build/fuzz    that one; its traceback is kept there

| module | holds |
|---|---|
| `campaign` | all kinds, one after the other, and the figures |
| `__main__` | the process in which the inputs of one kind are tried |
| `target` | the interface of a kind: makes an input, gives it to the product |
| `pictures`, `bombs` | damaged pictures; small files that ask for much memory or time |
| `clips`, `films` | damaged and hostile videos; videos that are made for tests |
| `words` | pictures full of text, or of what may be taken for it |
| `messages` | Discord's messages, and addresses that a download would go to |
| `settings`, `lines` | settings; lines of the query language |
| `questions`, `doors` | questions to a gallery; members' input |
| `together` | bombs of one member at the same time, and another's answers beside them |
| `files`, `texts` | sound files and ways to damage them; strings that mean harm |
"""
