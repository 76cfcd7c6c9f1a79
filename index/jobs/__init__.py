"""Work on pictures that other processes do: jobs in PostgreSQL, who asks, and who works.

An asker (a bot) puts a job: the bytes of a picture, and what it needs of them. A worker that can
make all of that leases it, makes it and answers. The asker takes the answer away, and with it all
that is left of the job. Both sides compare the table with what they have in hand, again and again;
a notification only lets them look sooner. So a lost notification, connection or process costs time
and nothing else.

| module | holds |
|---|---|
| `schema` | the tables, and the statements that both sides use |
| `times` | how long leases and waits are |
| `connection` | a connection that is made anew when it is lost |
| `packing` | answers as bytes |
| `asker` | asks, and waits for the answers |
| `worker` | leases jobs and answers them |
| `dead_letters` | the jobs that were given up |
| `workers` | what a gallery needs of all this |
"""
