"""Whether anybody is shown what they may not read, or not shown what they may.

Random servers stand on the sandbox, and Magpie is connected to it as to Discord. Their permissions
are set anew again and again, by requests of the owner. After each such deal members ask in every
possible way: `/find` for themselves and for everyone, with words or a picture; a mention, a reply
to somebody's picture, a picture posted with a mention, a picture in reply to an answer; the
message menu; the buttons of answers, also of answers given before the deal, to other people, and
to somebody who is timed out; filters by channel and member, by their names and ids, also by those
of closed channels; what is offered while somebody types; "Posted before?" about a picture that was
posted once more; `/channels list` and `/status`, which count pictures. Each answer is judged by
`oracle`:

leaked    pictures shown, or counted, and channels and members offered, that the asker, or for a
          public answer any member it reached, could not read or know of at that moment
withheld  pictures that should have been on the page, and names that should have been known or
          offered, and were not
told      pages whose heading, buttons or sentence say something else than what may be shown, and
          names that were known to somebody who can't read anything of them
refused   questions that a member could have asked, and the sandbox or Magpie turned down

It isn't judged which picture is better than which: a page is held against the gallery's own
ranking, limited to what the oracle allows. Afterwards `side_channels` compares servers that a
member can't tell apart.

`--seed` (or BENCH_SEED) chooses the servers, BENCH_WORLDS how many deals there are. A failure
names the deal that showed it.

| module | holds |
|---|---|
| `inquiry` | asks and judges; the run |
| `oracle` | who may read what, from Discord's documentation alone; imports nothing of ours |
| `random_servers` | random servers and deals |
| `testbed` | a sandbox with such servers, Magpie connected, everybody's client |
| `side_channels` | whether a closed channel full of matches can be told from an empty one |
"""
