"""The inner loops of search over many rows, compiled by numba when a large gallery needs them.

Import these modules late: numba takes a third of a second, which a small gallery doesn't spend.
Only `constants` and `arguments` do without it. Each loop releases the interpreter's lock, so that a
search never holds up the event loop.
"""
