"""What a new job needs besides a valid request, checked before the job is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass

from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.uploads import fault_of, handles_in, upload_id_of
from vsl.domain.catalogue.validation import invalid_parameters
from vsl.domain.jobs.job import Job, MediaType
from vsl.domain.jobs.object_keys import media_prefix
from vsl.domain.jobs.owner_names import OwnerNames
from vsl.services.ports.media import Uploads
from vsl.services.submission.provider_call import call_of


@dataclass(frozen=True, slots=True)
class CheckPrerequisites:
    """`upload_limits` are the bytes that an upload of each media type may have."""

    catalogue: Catalogue
    uploads: Uploads
    owner_names: OwnerNames
    upload_limits: Mapping[MediaType, int]

    def __call__(self, job: Job) -> None:
        """Raises InvalidParameters unless every handle leads to a fitting upload of the job's user.

        Raises ConfigurationError without the secret of opaque names: the media of the job could not be
        stored, and that must be known before it is paid for.
        """
        self.owner_names.current(media_prefix(job))
        faults: dict[str, str] = {}
        for name in call_of(job, self.catalogue).uploads:
            media = self.catalogue.find(job.model_id).parameters[name].media
            # One file may be named several times.
            for handle in dict.fromkeys(handles_in(job.parameters[name])):
                upload = self.uploads.find(job.user_id, upload_id_of(handle))
                fault = fault_of(upload, handle, media, self.upload_limits, job.deadline)
                if fault is not None:
                    faults.setdefault(name, fault)
        if faults:
            raise invalid_parameters(self.catalogue.find(job.model_id), faults)
