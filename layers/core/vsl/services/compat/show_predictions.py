"""Jobs as predictions of Replicate's API, as many as a page has."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.models import Model
from vsl.domain.compat.replicate_output import TEXTS, file_output
from vsl.domain.compat.replicate_prediction import prediction_document
from vsl.domain.jobs.job import JobStatus
from vsl.services.ports.compat import PredictionQueries, StoredTexts


@dataclass(frozen=True, slots=True)
class ShowPredictions:
    catalogue: Catalogue
    queries: PredictionQueries
    texts: StoredTexts

    def __call__(self, statuses: Sequence[Mapping[str, Any]], api: str) -> list[dict[str, Any]]:
        """Of public status documents, those of jobs that are not deleted meanwhile. `api` is the protocol's
        address."""
        facts = self.queries.facts([status["jobId"] for status in statuses])
        return [
            prediction_document(status, facts[job_id], model, self._output(status, model), api)
            for status in statuses
            for job_id in [status["jobId"]]
            for model in [self.catalogue.models.get(status["modelId"])]
            if job_id in facts
        ]

    def _output(self, status: Mapping[str, Any], model: Model | None) -> Any:
        if status["status"] != JobStatus.SUCCEEDED:
            return None
        files = status["outputs"]
        shape = model.output if model else None
        if shape in TEXTS and len(files) == 1:
            return self._text(files[0], shape)
        return file_output(shape, [file["originalUrl"] for file in files])

    def _text(self, file: Mapping[str, Any], shape: str | None) -> Any:
        """The text itself; the address of one that is too large for an answer."""
        text = self.texts.read(file["s3Path"])
        if text is None:
            return file["originalUrl"]
        if shape != "json":
            return text
        try:
            return json.loads(text)
        except ValueError:
            return text
