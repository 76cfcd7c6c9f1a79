"""Measurements, one module a name, each beside a named peer or limit in the same run.

A module offers `run() -> Report`; `python -m bench NAME` prints it.
"""
