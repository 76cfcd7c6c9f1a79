"""Whether anybody is shown what they may not read, or not shown what they may.

Random servers stand on the sandbox, and Magpie is connected to it as to Discord. Their permissions
are set anew again and again, by requests of the owner. After each such deal members ask in every
possible way: `/find` for themselves and for everyone, with words, exact words or a picture; a
mention, a reply to somebody's picture, a picture posted with a mention, a picture in reply to an
answer; the message menu; the buttons, menus and forms of answers, also of answers given before the
deal, to other people, and to somebody who is timed out; limits to a channel and a member, by their
names and ids, also by those of closed channels; what is offered while somebody types; a watch, for
oneself or in a channel, after which others post pictures; "Posted before?" about a picture that was
posted once more; `/channels list` and `/status`, which count pictures; `/overview`, which counts
them, and names what they are about. In a part of the servers
words are judged, so that some questions are answered by "Nothing here looks like …"; in the others
everything fits, so that each answer has pictures. Each answer is held against `oracle`:

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
| `run` | the run |
| `asking` | deals in one server, questions and clicks after each |
| `doors` | the ways to ask, by subject |
| `controls` | the controls of answers, and the form of **Narrow** |
| `judging` | holds answers against the oracle |
| `inquiry` | one server: who may ask where, what was asked, what was wrong |
| `given`, `terms`, `verdict` | an answer and its question; fields of a question; what is counted |
| `oracle` | who may read what, from Discord's documentation alone; imports nothing of ours |
| `random_servers` | random servers and deals |
| `testbed` | a sandbox with such servers, Magpie connected, everybody's client |
| `side_channels` | whether a closed channel full of matches can be told from an empty one |
"""
