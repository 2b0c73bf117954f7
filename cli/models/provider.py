"""The provider's documents of models, over its API or that of the local stack's stand-in."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from cli.client.errors import CommandError, Exit
from cli.client.target import one_target, running, secret, stack_facts, valid_stage
from cli.models.translation.published import Published, object_in
from cli.models.translation.reference import Reference
from devstack.paths import StateFolder, program
from devstack.stack import running_stack
from vsl import VERSION
from vsl_client.network import trusts_environment

PUBLIC = "https://api.replicate.com/v1"
STAND_IN = "The local stand-in"
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
PAUSES = (0.5, 2.0)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_TEMPORARY = {429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Documents:
    """The provider's own: of the model, of the version meant; `hardware` is a deployment's."""

    reference: Reference
    model: Mapping[str, Any]
    version: Mapping[str, Any] | None
    hardware: str | None = None

    @property
    def published(self) -> Published:
        return Published.read(self.reference, self.model, self.version)


class ProviderModels:
    """Reads models, versions and deployments; raises CommandError. `name` is for people."""

    def __init__(
        self, url: str, token: str, name: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        if not _TOKEN.fullmatch(token):
            message = f"The token for {name} is not one: it is empty or has other characters in it."
            raise CommandError("InvalidToken", message, Exit.NOT_ALLOWED)
        self.name = name
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=TIMEOUT,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "User-Agent": f"vsl/{VERSION}",
            },
            trust_env=trusts_environment(url),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self, reference: Reference) -> Documents:
        """The newest version where the reference names none; of a deployment, the one it runs."""
        if reference.deployment:
            return self._read_deployment(reference)
        model = self._get(f"/models/{_path(reference.owner, reference.name)}", str(reference))
        if reference.version is not None:
            return Documents(reference, model, self._version(reference, reference.version))
        latest = model.get("latest_version")
        return Documents(reference, model, latest if isinstance(latest, dict) else None)

    def _read_deployment(self, reference: Reference) -> Documents:
        path = f"/deployments/{_path(reference.owner, reference.name)}"
        release = object_in(self._get(path, str(reference)), "current_release")
        try:
            runs = Reference.parse(str(release.get("model")))
        except ValueError:
            message = f"{self.name} does not say which model {reference} runs."
            raise CommandError("UnreadableAnswer", message, Exit.UNAVAILABLE) from None
        version = str(release.get("version") or "")
        pinned = Reference(runs.owner, runs.name, version or None)
        model = self._get(f"/models/{_path(runs.owner, runs.name)}", str(runs))
        hardware = object_in(release, "configuration").get("hardware")
        return Documents(
            reference,
            model,
            self._version(pinned, version) if version else object_in(model, "latest_version"),
            hardware if isinstance(hardware, str) else None,
        )

    def _version(self, reference: Reference, version: str) -> Mapping[str, Any]:
        owner = _path(reference.owner, reference.name)
        return self._get(f"/models/{owner}/versions/{quote(version, safe='')}", str(reference))

    def _get(self, path: str, what: str) -> dict[str, Any]:
        answer = self._answer(path)
        if answer.status_code == 404:
            raise self._not_found(what)
        if answer.status_code in {401, 403}:
            message = f"{self.name} refuses the token ({answer.status_code})."
            hint = "REPLICATE_API_TOKEN holds it, for a stage the parameter replicate-token in SSM."
            raise CommandError("TokenRefused", message, Exit.NOT_ALLOWED, hint)
        if not answer.is_success:
            message = f"{self.name} answered {answer.status_code} to a question for {what}."
            raise CommandError("ProviderUnavailable", message, Exit.UNAVAILABLE, "Try again later.")
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            message = f"{self.name}'s answer about {what} is not a JSON object."
            raise CommandError("UnreadableAnswer", message, Exit.UNAVAILABLE)
        return document

    def _not_found(self, what: str) -> CommandError:
        message = f"{self.name} has no {what}"
        if self.name == STAND_IN:
            hint = "--from replicate reads it from Replicate, and the stand-in has it from then on."
            return CommandError("ModelNotFound", f"{message}.", Exit.NOT_FOUND, hint)
        message += ", or it is private and not this account's."
        hint = "The model's page has the name to give: OWNER/NAME."
        return CommandError("ModelNotFound", message, Exit.NOT_FOUND, hint)

    def _answer(self, path: str) -> httpx.Response:
        """Repeated while the provider is busy or away. Raises CommandError."""
        for pause in (*PAUSES, None):
            try:
                answer = self._client.get(path)
            except httpx.HTTPError as error:
                if pause is None:
                    message = f"{self.name} cannot be reached ({type(error).__name__})."
                    hint = f"Its address is {self._client.base_url}."
                    raise CommandError(
                        "ProviderUnavailable", message, Exit.UNAVAILABLE, hint
                    ) from None
            else:
                if pause is None or answer.status_code not in _TEMPORARY:
                    return answer
            time.sleep(pause)
        raise AssertionError("unreachable")


def provider(state: Path | None, stage: str | None, origin: str | None) -> ProviderModels:
    """Of a stage its own; else the stand-in of the local stack, if one runs, or Replicate by
    REPLICATE_API_TOKEN. `origin` chooses between the two. Raises CommandError."""
    one_target(state, stage)
    if stage is not None:
        valid_stage(stage)
        _, parameters = stack_facts(stage)
        url = parameters.get("ReplicateApiUrl") or PUBLIC
        return ProviderModels(url, secret(stage, "replicate-token").strip(), "Replicate")
    if origin == "stack" or (origin is None and state is not None):
        return _stand_in(running(state))
    found = running_stack(StateFolder.at(state)) if origin is None else None
    if found is not None:
        return _stand_in(found)
    token = os.environ.get("REPLICATE_API_TOKEN", "").strip()
    if not token:
        message = "REPLICATE_API_TOKEN is not set" + (
            ", and no local stack is running." if origin is None else "."
        )
        hint = f"Set it to read from Replicate; `{program()} up --detach` starts the stand-in."
        raise CommandError("NoProvider", message, Exit.NOT_ALLOWED, hint)
    return ProviderModels(os.environ.get("REPLICATE_API_URL") or PUBLIC, token, "Replicate")


def teach_stand_in(state: Path | None, documents: Documents) -> bool:
    """Give the stand-in of the local stack, if one runs, the model, and a deployment of it where the
    reference is one; whether it has them now."""
    document = running_stack(StateFolder.at(state))
    version = documents.version or {}
    if document is None:
        return False
    body = {
        "openapi_schema": version.get("openapi_schema"),
        "official": documents.model.get("is_official") is True,
        "version": version.get("id"),
        "description": documents.model.get("description") or "",
        "default_example": documents.model.get("default_example"),
    }
    reference = documents.reference
    owner, name = (
        str(documents.model.get(key) or known)
        for key, known in (("owner", reference.owner), ("name", reference.name))
    )
    bodies = {f"models/{_path(owner, name)}": body}
    if reference.deployment:
        release = {"model": f"{owner}/{name}", "version": version.get("id")}
        bodies[f"deployments/{_path(reference.owner, reference.name)}"] = release
    control = f"{_origin(document)}/_control"
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
            return all(
                client.put(f"{control}/{path}", json=body).is_success
                for path, body in bodies.items()
            )
    except httpx.HTTPError:
        return False


def _stand_in(document: Mapping[str, Any]) -> ProviderModels:
    return ProviderModels(f"{_origin(document)}/v1", str(document["replicateToken"]), STAND_IN)


def _origin(document: Mapping[str, Any]) -> str:
    return str(document["replicateUrl"]).split("/v1", maxsplit=1)[0]


def _path(owner: str, name: str) -> str:
    return f"{quote(owner, safe='')}/{quote(name, safe='')}"
