"""Money on one hot budget: jobs that are held for and settled, beside the bare conditional UPDATEs.

All jobs are of one user, so each waits for the rows of both budgets, the user's and the stage's.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg

from benchmarks.measure import Result, interleaved, median, ms, times
from database.migrate import migrate
from devstack.servers import Postgres, free_port
from tests.support.jobs import make_job
from vsl.adapters.postgres.connection import PostgresConnection
from vsl.adapters.postgres.job_repository import PostgresJobRepository
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.jobs.job import FinishedJob, JobStatus
from vsl.domain.money.budgets import BudgetDefaults

AT_ONCE = 8
JOBS_PER_SECOND, RATIO = 150, 0.7
_MUCH = 10**15
_DEFAULTS = BudgetDefaults(user_day=_MUCH, stage_day=_MUCH)

# What a program without functions writes: room is asked for and taken in one statement, and a budget
# without room ends the transaction, so that its answer is waited for. The user's comes first: the parts of
# one WITH have no order, and deadlock. A settlement needs no answer and is one round trip.
_BARE = """
    CREATE TABLE bare (owner text PRIMARY KEY, spent bigint, held bigint, most bigint)
        WITH (fillfactor = 50);
    INSERT INTO bare VALUES ('user:user-1', 0, 0, 1000000000000), ('stage', 0, 0, 1000000000000)
"""
_BARE_HOLD = "UPDATE bare SET held = held + 3000 WHERE owner = %s AND spent + held + 3000 <= most"
# Counted and not asked: what two rows cost at least, and no budget.
_UNASKED = """
    UPDATE bare SET held = held + 3000 WHERE owner = 'user:user-1';
    UPDATE bare SET held = held + 3000 WHERE owner = 'stage'
"""
_BARE_SETTLE = """
    UPDATE bare SET held = held - 3000, spent = spent + 3000 WHERE owner = 'user:user-1';
    UPDATE bare SET held = held - 3000, spent = spent + 3000 WHERE owner = 'stage'
"""
_HOLD = """
    SELECT hold_money(%s, 'user-1', 'flux-schnell', 3000, 3000, current_date,
        ARRAY[1000000000000, NULL, NULL]::bigint[], ARRAY[1000000000000, NULL, NULL]::bigint[], false)
"""
_ADMITTED = "create_job, room asked for in the user's and the stage's budget"
_UNLIMITED = "create_job, no budget set"
_SETTLE = "SELECT settle_money(%s, 3000)"


class Workers:
    """Connections that work at once."""

    def __init__(self, url: str) -> None:
        self._connections = [PostgresConnection(lambda: url) for _ in range(AT_ONCE)]
        self._raw = [
            psycopg.connect(url, autocommit=True, prepare_threshold=None) for _ in range(AT_ONCE)
        ]
        self._repositories = [PostgresJobRepository(it, _DEFAULTS) for it in self._connections]
        self._unlimited = [PostgresJobRepository(it) for it in self._connections]
        self._threads = ThreadPoolExecutor(AT_ONCE)

    def bare(self, jobs: int) -> Callable[[], None]:
        def work(number: int) -> None:
            connection = self._raw[number]
            for _ in range(jobs // AT_ONCE):
                with connection.transaction():
                    for owner in ("user:user-1", "stage"):
                        assert connection.execute(_BARE_HOLD, (owner,)).rowcount == 1
                connection.execute(_BARE_SETTLE)

        return lambda: self._all(work)

    def unasked(self, jobs: int) -> Callable[[], None]:
        def work(number: int) -> None:
            connection = self._raw[number]
            for _ in range(jobs // AT_ONCE):
                connection.execute(_UNASKED)
                connection.execute(_BARE_SETTLE)

        return lambda: self._all(work)

    def functions(self, jobs: int) -> Callable[[], None]:
        def work(number: int) -> None:
            connection = self._raw[number]
            for _ in range(jobs // AT_ONCE):
                job_id = (UUID(new_job_id(datetime.now(UTC))),)
                connection.execute(_HOLD, job_id)
                connection.execute(_SETTLE, job_id)

        return lambda: self._all(work)

    def whole(self, jobs: int) -> Callable[[], None]:
        """The transactions that create and end a job, with all that they write."""

        def work(number: int) -> None:
            repository = self._repositories[number]
            for _ in range(jobs // AT_ONCE):
                now = datetime.now(UTC)
                job = make_job(at=now, job_id=new_job_id(now))
                repository.create_job(job, None)
                at = now + timedelta(seconds=9)
                cost = Decimal("0.003")
                assert repository.finish_job(
                    FinishedJob(job, JobStatus.SUCCEEDED, at, job.job_id, actual_cost=cost)
                )

        return lambda: self._all(work)

    def admitted(self, jobs: int, *, budgets: bool) -> Callable[[], None]:
        """The transaction that admits a job: with room asked for in two budgets, or none set."""

        def work(number: int) -> None:
            repository = (self._repositories if budgets else self._unlimited)[number]
            for _ in range(jobs // AT_ONCE):
                now = datetime.now(UTC)
                repository.create_job(make_job(at=now, job_id=new_job_id(now)), None)

        return lambda: self._all(work)

    def _all(self, work: Callable[[int], None]) -> None:
        for done in [self._threads.submit(work, number) for number in range(AT_ONCE)]:
            done.result()

    def close(self) -> None:
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()
        for raw in self._raw:
            raw.close()


def run(*, quick: bool = False) -> Result:
    result = Result(
        "money",
        "Money on one hot budget",
        ["what", "jobs a second", "a job", "beside the bare UPDATEs"],
    )
    rounds, jobs = (2, 80) if quick else (15, 400)
    with _database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_BARE)
        workers = Workers(url)
        candidates = {
            "bare conditional UPDATEs": workers.bare(jobs),
            "two rows counted, no room asked for": workers.unasked(jobs),
            "hold_money and settle_money": workers.functions(jobs),
            "create_job and finish_job, with all they write": workers.whole(jobs),
            _ADMITTED: workers.admitted(jobs, budgets=True),
            _UNLIMITED: workers.admitted(jobs, budgets=False),
        }
        for warm in candidates.values():
            warm()
        taken = interleaved(rounds, candidates)
        workers.close()
    bare = median(taken["bare conditional UPDATEs"])
    for name, seconds in taken.items():
        one = median(seconds) / jobs
        result.row(name, f"{1 / one:.0f}", ms(one), times(bare / median(seconds)))
        result.data[name] = 1 / one
    result.notes.append(
        f"{AT_ONCE} connections at once. The bare UPDATEs keep two counts and nothing else: BEGIN, the user's"
        " budget, the stage's, COMMIT, and one round trip to settle. The functions also write the hold and"
        " two entries of the ledger, each once per job. Commits do not wait for the disk here."
    )
    budgets = median(taken[_ADMITTED]) / median(taken[_UNLIMITED])
    result.notes.append(f"Admission takes {times(budgets)} with budgets on as without any.")
    ours = median(taken["hold_money and settle_money"])
    result.goal("jobs a second on one hot budget", jobs / ours, JOBS_PER_SECOND, at_least=True)
    result.goal("beside the bare conditional UPDATEs", bare / ours, RATIO, at_least=True)
    return result


@contextmanager
def _database() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="vsl-money-") as folder,
        Postgres(Path(folder) / "data", free_port()) as server,
    ):
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("CREATE DATABASE money")
        url = server.url_of("money")
        migrate(url)
        yield url
