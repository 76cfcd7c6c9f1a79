"""The figures on the pages under docs/: measured by one command, kept as JSON, written as tables.

`make bench-report` runs the benches one after another and keeps what each prints under
docs/measured/KIND/NAME.json, by the kind of processor (`bench.machine.KINDS`). The tables on the
pages are written from all that is kept, so that figures of another kind of processor stay beside
those of this one. `python -m bench tables` only writes the pages.

Of each bench the newest three runs are kept, as long as they were made on the same processor and
with the same sizes; a run on another one takes their place. A table shows the median of each number
and, for a single number, the least and the greatest beside it. To begin anew after a change of the
code, delete the file.

| module | holds |
|---|---|
| `kept` | runs as they are kept in files |
| `tables` | the tables, and their places on a page |
| `campaign` | which benches run, how long that takes, and what becomes of each |
"""
