"""Input that means harm, each reproducible from a seed, a kind and a number.

`trial.py` says what a kind of input is; the other modules have one kind or two each. The
measurement over all of them is `bench/fuzz.py`; the process it runs them in is `__main__.py`.
"""
