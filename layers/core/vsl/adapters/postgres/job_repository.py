"""Jobs in PostgreSQL: `services.ports.jobs.JobRepository` over the schema in `database/`."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from vsl.adapters.postgres.connection import Connection, PostgresConnection
from vsl.adapters.postgres.documents import SELECT_DOCUMENT, document
from vsl.adapters.postgres.holds import check_price, hold_row, refused
from vsl.domain.api.limits import RecentJob, UserLimits
from vsl.domain.errors import JobDeleted
from vsl.domain.jobs.ids import is_job_id
from vsl.domain.jobs.job import (
    SUBMISSION_SLACK,
    FinishedJob,
    Job,
    MediaAsset,
    MediaType,
    OrphanedPrediction,
    deadline,
)
from vsl.domain.jobs.status import AskedDocument, StatusDocument
from vsl.domain.money.amounts import micro_dollars
from vsl.domain.money.budgets import NO_BUDGETS, BudgetDefaults
from vsl.services.ports.jobs import Creation

_INSERT = """
    INSERT INTO jobs (
        job_id, user_id, media_type, model_id, parameters, estimated_time, estimated_cost,
        timeout_seconds, created_at, execution_arn, callback_url, metadata
    ) VALUES (
        %(job_id)s, %(user_id)s, %(media_type)s, %(model_id)s, %(parameters)s, %(estimated_time)s,
        %(estimated_cost)s, %(timeout_seconds)s, %(created_at)s, %(execution_arn)s,
        %(callback_url)s, %(metadata)s
    )
    ON CONFLICT (job_id) DO NOTHING
"""

# The job and its hold, or neither, with the user's weight, in one round trip.
_HOLDING = """
    WITH created AS ({insert} RETURNING job_id, user_id, model_id)
    SELECT
        EXISTS (SELECT FROM created),
        (SELECT hold_money(
            job_id, user_id, model_id, %(estimate)s, %(hold)s, %(day)s,
            %(user_limits)s::bigint[], %(stage_limits)s::bigint[], %(prepay)s
        ) FROM created),
        (SELECT weight FROM user_limits WHERE user_id = %(user_id)s)
"""
_CREATE = _HOLDING.replace("{insert}", _INSERT)
_NOTHING = (False, False, None)

_SETTLE_MONEY = "SELECT settle_money(%s, %s)"

_FINISH = """
    UPDATE jobs SET
        status = %(status)s, completed_at = %(completed_at)s, replicate_id = %(replicate_id)s,
        attempt = %(attempt)s, error_code = %(error_code)s, error_message = %(error_message)s,
        error_detail = %(error_detail)s,
        actual_cost = %(actual_cost)s, predict_time = %(predict_time)s, total_time = %(total_time)s,
        logs = %(logs)s
    WHERE job_id = %(job_id)s AND completed_at IS NULL
"""

_KEEP = "SELECT 1 FROM jobs WHERE job_id = %s FOR SHARE"

# Learnt after the end. What is known stays; a job that ended before its prediction was attached has none.
_SETTLE = """
    WITH settled AS (
    UPDATE jobs SET
        replicate_id = %(replicate_id)s,
        actual_cost = CASE WHEN replicate_id IS NULL THEN %(cost)s
                           ELSE coalesce(actual_cost, %(cost)s) END,
        predict_time = coalesce(predict_time, %(predict_time)s),
        total_time = coalesce(total_time, %(total_time)s)
    WHERE job_id = %(job_id)s AND completed_at IS NOT NULL
        AND (replicate_id IS NULL OR replicate_id = %(replicate_id)s)
    RETURNING job_id, actual_cost
    )
    SELECT settle_money(job_id, (actual_cost * 1000000)::bigint) FROM settled
"""

_ASSETS = """
    INSERT INTO media_assets (
        job_id, index, s3_key, thumbnail_key, content_type, file_size, sha256,
        width, height, duration, fps, codec
    ) VALUES (
        %(job_id)s, %(index)s, %(s3_key)s, %(thumbnail_key)s, %(content_type)s, %(file_size)s,
        %(sha256)s, %(width)s, %(height)s, %(duration)s, %(fps)s, %(codec)s
    )
    ON CONFLICT (job_id, index) DO NOTHING
"""

_EVENTS = """
    INSERT INTO job_events (job_id, name, at, source, detail)
    VALUES (%(job_id)s, %(name)s, %(at)s, %(source)s, %(detail)s)
    ON CONFLICT (job_id, name) DO NOTHING
"""

_WEBHOOKS = """
    INSERT INTO webhook_events (job_id, webhook_id, replicate_id, prediction_status, received_at)
    VALUES (%(job_id)s, %(webhook_id)s, %(replicate_id)s, %(prediction_status)s, %(received_at)s)
    ON CONFLICT (job_id, webhook_id) DO NOTHING
"""

_NOTE_ORPHAN = """
    INSERT INTO orphaned_predictions (replicate_id, job_id, found_at, source, cost)
    VALUES (%(replicate_id)s, %(job_id)s, %(found_at)s, %(source)s, %(cost)s)
    ON CONFLICT (replicate_id) DO UPDATE SET cost = EXCLUDED.cost
    WHERE orphaned_predictions.cost IS NULL AND EXCLUDED.cost IS NOT NULL
"""

_CHARGING = """
    WITH noted AS ({note} RETURNING replicate_id, job_id, cost)
    SELECT charge_stage(replicate_id, 'orphan', job_id, (cost * 1000000)::bigint)
    FROM noted WHERE cost > 0
"""
_ORPHAN = _CHARGING.replace("{note}", _NOTE_ORPHAN)

_CHARGE_ORPHANS = """
    SELECT charge_stage(replicate_id, 'orphan', job_id, (cost * 1000000)::bigint)
    FROM orphaned_predictions WHERE job_id = %s AND cost > 0
"""

_DELETED = "SELECT 1 FROM jobs WHERE job_id = %s AND deleted_at IS NOT NULL"

_STATUS = SELECT_DOCUMENT + "WHERE job_id = %s AND deleted_at IS NULL"

_ASKED = """
    SELECT parameters->>'prompt', metadata FROM jobs WHERE job_id = %s AND deleted_at IS NULL
"""

_PARAMETERS = "SELECT parameters FROM jobs WHERE job_id = %s AND deleted_at IS NULL"

# A job that a limit refused never took a place.
_RECENT_JOBS = """
    SELECT job_id, created_at, timeout_seconds, completed_at IS NOT NULL FROM jobs
    WHERE user_id = %s AND created_at > %s
        AND coalesce(error_code, '') NOT IN (
            'RateLimitExceeded', 'TooManyJobs', 'QueueFull', 'BudgetExceeded', 'ModelFrozen',
            'UnpricedModel'
        )
    ORDER BY created_at, job_id
"""

_OVERDUE = """
    SELECT job_id::text, user_id, media_type, model_id, parameters, estimated_time, estimated_cost,
        timeout_seconds, created_at, callback_url
    FROM jobs WHERE completed_at IS NULL
        AND created_at < %(latest)s AND created_at + timeout_seconds * interval '1 second' < %(latest)s
    ORDER BY created_at LIMIT %(limit)s
"""

_USER_LIMITS = "SELECT jobs_per_hour, concurrent_jobs FROM user_limits WHERE user_id = %s"


class PostgresJobRepository:
    """`defaults` are the budgets of users without budgets of their own."""

    def __init__(
        self, connection: PostgresConnection, defaults: BudgetDefaults = NO_BUDGETS
    ) -> None:
        self._connection = connection
        self._defaults = defaults

    def create_job(self, job: Job, execution_arn: str | None) -> Creation:
        row = _job_row(job) | {"execution_arn": execution_arn} | hold_row(job, self._defaults)

        def insert(connection: Connection) -> Creation:
            check_price(connection, job, self._defaults)
            try:
                new, alerted, weight = connection.execute(_CREATE, row).fetchone() or _NOTHING
            except psycopg.Error as error:
                raise refused(connection, job, error) from error
            if new:
                return Creation(new=True, alerted=alerted, weight=weight or 1)
            if connection.execute(_DELETED, (row["job_id"],)).fetchone():
                raise JobDeleted("The job was deleted.", jobId=job.job_id)
            return Creation(new=False, weight=weight or 1)

        return self._connection.run(insert)

    def finish_job(self, finished: FinishedJob) -> StatusDocument | None:
        return self._connection.run(lambda connection: _finish(connection, finished))

    def settle_prediction(
        self,
        job_id: str,
        replicate_id: str,
        cost: Decimal | None,
        predict_time: float | None,
        total_time: float | None,
    ) -> bool:
        row = {
            "job_id": UUID(job_id),
            "replicate_id": replicate_id,
            "cost": cost,
            "predict_time": predict_time,
            "total_time": total_time,
        }
        return self._connection.run(lambda it: it.execute(_SETTLE, row).rowcount == 1)

    def release_hold(self, job_id: str) -> None:
        self._connection.run(lambda it: it.execute(_SETTLE_MONEY, (UUID(job_id), 0)))

    def record_orphan(self, job_id: str, orphan: OrphanedPrediction) -> None:
        row = _orphan_row(UUID(job_id), orphan)
        self._connection.run(lambda connection: connection.execute(_ORPHAN, row))

    def status(self, job_id: str) -> StatusDocument | None:
        if not is_job_id(job_id):
            return None
        return self._connection.run(lambda connection: _read(connection, UUID(job_id)))

    def parameters(self, job_id: str) -> Mapping[str, Any] | None:
        row = self._connection.run(
            lambda connection: connection.execute(_PARAMETERS, (UUID(job_id),)).fetchone()
        )
        return None if row is None else row[0]

    def asked(self, job_id: str) -> AskedDocument | None:
        row = self._connection.run(
            lambda connection: connection.execute(_ASKED, (UUID(job_id),)).fetchone()
        )
        return None if row is None else {"prompt": row[0], "metadata": row[1]}

    def overdue(self, before: datetime, limit: int) -> Sequence[Job]:
        bounds = {"latest": before - SUBMISSION_SLACK, "limit": limit}
        return [
            Job(**(row | {"media_type": MediaType(row["media_type"])}))
            for row in self._connection.rows(_OVERDUE, bounds)
        ]

    def recent_jobs(self, user_id: str, since: datetime) -> Sequence[RecentJob]:
        rows = self._connection.run(
            lambda connection: connection.execute(_RECENT_JOBS, (user_id, since)).fetchall()
        )
        return [
            RecentJob(str(job_id), created_at, None if ended else deadline(created_at, seconds))
            for job_id, created_at, seconds, ended in rows
        ]

    def user_limits(self, user_id: str) -> UserLimits:
        row = self._connection.run(
            lambda connection: connection.execute(_USER_LIMITS, (user_id,)).fetchone()
        )
        return UserLimits() if row is None else UserLimits(*row)


def _read(connection: Connection, job_id: UUID) -> StatusDocument | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_STATUS, (job_id,)).fetchone()
    return None if row is None else document(row)


def _finish(connection: Connection, finished: FinishedJob) -> StatusDocument | None:
    job_id = UUID(finished.job.job_id)
    with connection.transaction():
        connection.execute(_INSERT, _job_row(finished.job) | {"execution_arn": None})
        ended = connection.execute(_FINISH, _end_row(finished))
        # A repeated end must not put back what a deletion is taking away at this moment.
        connection.execute(_KEEP, (job_id,))
        written = _read(connection, job_id)
        if ended.rowcount == 0 and (written is None or written["status"] != finished.status.value):
            return None
        with connection.cursor() as cursor:
            cursor.executemany(_ASSETS, [_asset_row(job_id, asset) for asset in finished.assets])
            cursor.executemany(
                _EVENTS,
                [
                    {
                        "job_id": job_id,
                        "name": event.name,
                        "at": event.at,
                        "source": event.source,
                        "detail": Jsonb(storable(event.detail)),
                    }
                    for event in finished.events
                ],
            )
            cursor.executemany(
                _WEBHOOKS,
                [
                    {
                        "job_id": job_id,
                        "webhook_id": receipt.webhook_id,
                        "replicate_id": receipt.replicate_id,
                        "prediction_status": receipt.prediction_status,
                        "received_at": receipt.received_at,
                    }
                    for receipt in finished.webhooks
                ],
            )
            cursor.executemany(
                _NOTE_ORPHAN, [_orphan_row(job_id, orphan) for orphan in finished.orphans]
            )
        document = _read(connection, job_id)
        # Budgets are locked last, for other jobs wait for them, and the stage's after the user's:
        # another order could deadlock.
        if finished.settled:
            cost = finished.actual_cost
            paid = None if cost is None else micro_dollars(cost)
            connection.execute(_SETTLE_MONEY, (job_id, paid))
        if finished.orphans:
            connection.execute(_CHARGE_ORPHANS, (job_id,))
        return document


def _orphan_row(job_id: UUID, orphan: OrphanedPrediction) -> dict[str, Any]:
    return {
        "replicate_id": orphan.replicate_id,
        "job_id": job_id,
        "found_at": orphan.found_at,
        "source": orphan.source,
        "cost": orphan.cost,
    }


def _job_row(job: Job) -> dict[str, Any]:
    return {
        "job_id": UUID(job.job_id),
        "user_id": storable(job.user_id),
        "media_type": job.media_type.value,
        "model_id": storable(job.model_id),
        "parameters": Jsonb(storable(job.parameters)),
        "estimated_time": job.estimated_time,
        "estimated_cost": job.estimated_cost,
        "timeout_seconds": job.timeout_seconds,
        "created_at": job.created_at,
        "callback_url": job.callback_url,
        "metadata": Jsonb(storable(job.metadata)),
    }


def _end_row(finished: FinishedJob) -> dict[str, Any]:
    return {
        "job_id": UUID(finished.job.job_id),
        "status": finished.status.value,
        "completed_at": finished.completed_at,
        "replicate_id": finished.replicate_id,
        "attempt": finished.attempt,
        "error_code": finished.error_code,
        "error_message": storable(finished.error_message),
        "error_detail": storable(finished.error_detail),
        "actual_cost": finished.actual_cost,
        "predict_time": finished.predict_time,
        "total_time": finished.total_time,
        "logs": storable(finished.logs),
    }


def _asset_row(job_id: UUID, asset: MediaAsset) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "index": asset.index,
        "s3_key": asset.s3_key,
        "thumbnail_key": asset.thumbnail_key,
        "content_type": asset.content_type,
        "file_size": asset.file_size,
        "sha256": asset.sha256,
        "width": asset.width,
        "height": asset.height,
        "duration": asset.duration,
        "fps": asset.fps,
        "codec": asset.codec,
    }


def storable(value: Any) -> Any:
    """The value without what PostgreSQL cannot hold: NUL, lone surrogates, NaN and infinities."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
