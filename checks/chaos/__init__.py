"""Chaos: steps from a seed (what people do, faults, kills), then a check of every promise.

`python -m bench chaos --seed N --minutes M`, or `--seeds A-B` for many. The bot is a process with
a real file and the pocket model. While three servers of the sandbox change, members keep asking,
and the machine and Discord fail in every way that the schedule knows. Then the faults end, and
Discord asks for one new session, as it does now and then. Now the gallery's files have to come to
what the servers show. Counted are:

    missing      pictures that should be searchable and are not
    duplicated   pictures that are there more than once
    undead       rows, vectors, names or keys of deleted pictures, anywhere in the files' bytes;
                 pictures that a member erased are among them
    late         pictures that were not erased when Discord announced their deletion, but only by a
                 slow second way, such as the listing of all channels
    leaked       pictures shown to somebody who could not read them (witness.py says it exactly), or
                 told of by a watch (notices.py)
    twice        pictures of which a watch told its owner more than once
    told_gone    pictures of which a watch told when they were deleted
    untold       pictures of which a watch had to tell, and of which no notice was sent or waits
    unanswered   questions without an answer, though the bot was connected and no fault struck it
    stuck        it did not settle, did not answer, or did not end when told to
    crashed      unexpected ends of the process

`--hurried` shortens the bot's long waits (hurried.py), so that a minute shows what takes an hour.
The log with the schedule and what came of each step, and the bot's own log, lie in
build/chaos/SEED.

| module | holds |
|---|---|
| `run` | one run from start to verdict |
| `schedule` | which step happens when, drawn from the seed |
| `steps` | does a step; its kinds are `posts`, `places`, `privacy`, `machine`, `outages` |
| `candidates` | what a step can be done to: the channels, messages and people of that moment |
| `servers`, `pictures` | the servers before the bot comes, and pictures that can be told apart |
| `bot`, `clock`, `hurried` | the bot's process, its wrong clock, its shortened waits |
| `questions` | what members ask, and the controls of answers that they use |
| `truth` | what should be in the gallery, what is there, and the difference |
| `notices` | what watches told while it happened |
| `hearing` | whether the bot could hear a question and answer it |
| `witness` | whether an answer showed somebody what they could not read |
"""
