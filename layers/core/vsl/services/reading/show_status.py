"""The status document as clients see it.

The stores keep S3 keys; addresses are made on read, so that none is handed out in the second half of its
life (`Signer.period`).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vsl.domain.jobs.job import AssetDocument
from vsl.domain.jobs.place import NO_PLACE
from vsl.domain.jobs.status import StatusDocument, current_progress
from vsl.domain.money.amounts import plain_text
from vsl.services.ports.media import Signer


@dataclass(frozen=True, slots=True)
class ShowStatus:
    signer: Signer

    def __call__(self, document: StatusDocument, now: datetime | None = None) -> dict[str, Any]:
        """`result` is the first output, `outputs` are all; without `now` no progress is estimated."""
        outputs = [self._output(asset) for asset in document["assets"]]
        error = document["error"]
        return {
            "jobId": document["jobId"],
            "userId": document["userId"],
            "status": document["status"],
            "mediaType": document["mediaType"],
            "modelId": document["modelId"],
            "prompt": document.get("prompt"),
            "metadata": document.get("metadata"),
            "createdAt": document["createdAt"],
            "updatedAt": document["updatedAt"],
            "completedAt": document["completedAt"],
            "estimatedTime": document["estimatedTime"],
            "estimatedCost": _dollars(document["estimatedCost"]),
            "actualCost": _dollars(document["actualCost"]),
            "heldCost": _dollars(document.get("heldCost")),
            "replicateId": document["replicateId"],
            "progress": current_progress(document, now),
            **document.get("place", NO_PLACE),
            "result": outputs[0] if outputs else None,
            "outputs": outputs,
            "error": error["message"] if error else None,
            "errorCode": error["code"] if error else None,
            "errorDetail": error.get("detail") if error else None,
            "logs": document.get("logs"),
        }

    def _output(self, asset: AssetDocument) -> dict[str, Any]:
        thumbnail = asset["thumbnailKey"]
        return {
            "originalUrl": self.signer.url(asset["s3Key"], asset["contentType"]),
            "thumbnailUrl": self.signer.url(thumbnail, "image/webp") if thumbnail else None,
            "s3Path": asset["s3Key"],
            "contentType": asset["contentType"],
            "fileSize": asset["fileSize"],
            "sha256": asset["sha256"],
            "width": asset["width"],
            "height": asset["height"],
            "duration": asset["duration"],
            "fps": asset["fps"],
            "codec": asset["codec"],
        }


def _dollars(text: str | None) -> str | None:
    """Without trailing zeros, whichever store the document comes from."""
    return plain_text(None if text is None else Decimal(text))
