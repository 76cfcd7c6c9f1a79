"""Workers embed for bots: nothing is lost, and nothing of a job outlives its answer."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

JOBS = "tests/index/jobs/test_jobs.py"

MUTANTS = (
    Mutant(
        "a worker takes only what it can make",
        "index/jobs/schema.py",
        "        AND free_at <= now() AND needs <@ $1::text[]\n    ORDER BY",
        "        AND free_at <= now() AND needs && $1::text[]\n    ORDER BY",
        (f"{JOBS}::test_no_worker_takes_what_it_cannot_make",),
    ),
    Mutant(
        "who waits no more takes the bytes back",
        "index/jobs/asker.py",
        "                self._changes.drop.add(id)\n",
        "",
        (f"{JOBS}::test_an_asker_that_is_cancelled_leaves_no_bytes_and_stops_the_work",),
    ),
    Mutant(
        "the jobs of an asker that is gone are deleted",
        "index/jobs/asker.py",
        "    await db.execute(schema.FORGET_JOBS)\n",
        "",
        (f"{JOBS}::test_the_jobs_of_an_asker_that_is_gone_are_deleted",),
    ),
    Mutant(
        "a worker that stops gives back what it has",
        "index/jobs/worker.py",
        "                await db.execute(schema.GIVE_BACK, in_hand, self.name)\n",
        "",
        (f"{JOBS}::test_a_worker_that_closes_gives_back_what_it_has",),
    ),
    Mutant(
        "what a worker gives back counts as no try",
        "index/jobs/schema.py",
        "reason = NULL, tries = tries - 1, free_at = now()",
        "reason = NULL, free_at = now()",
        (f"{JOBS}::test_a_worker_that_closes_gives_back_what_it_has",),
    ),
    Mutant(
        "a lease that has ended keeps its worker from no other job",
        "index/jobs/schema.py",
        "AND id <> ALL($2::uuid[])",
        "AND $2::uuid[] IS NOT NULL",
        (f"{JOBS}::test_a_lease_that_ends_while_its_worker_goes_on_holds_up_no_other_job",),
    ),
    Mutant(
        "what was given up and is erased is listed no more",
        "index/jobs/dead_letters.py",
        "group_id = $3 OR parent = $3",
        "group_id = $3",
        (f"{JOBS}::test_what_is_erased_is_listed_no_more",),
    ),
)
