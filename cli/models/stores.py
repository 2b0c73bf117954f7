"""Where the catalogue is kept: the file of a checkout, or a stage's parameter in SSM."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.client.errors import CommandError, Exit
from cli.client.target import aws_client, aws_errors, stack_facts, valid_stage
from cli.models.translation.entry import faults_of
from devstack.paths import program
from vsl.adapters.aws.packed_catalogue import read_text, remove_old_parts, store
from vsl.domain.catalogue.catalogue import Catalogue
from vsl.domain.catalogue.hardware import Rates
from vsl.domain.errors import ConfigurationError

_TRIES = 5

Edit = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class FileStore:
    """Replaced as a whole: a reader sees the old text or the new one."""

    path: Path
    rates: Rates

    @property
    def place(self) -> str:
        here = Path.cwd()
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)

    def read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            message = f"The catalogue {self.path} cannot be read: {reason}."
            raise CommandError("CatalogueUnreadable", message, Exit.FAILED) from None

    def change(self, edit: Edit) -> bool:
        for _ in range(_TRIES):
            before = self.read()
            after = edited(before, edit, self.rates)
            if after == before:
                return False
            if self._replaced(before, after):
                return True
        message = f"{self.path} is being written by somebody else."
        raise CommandError("CatalogueBusy", message, Exit.FAILED, "Try again.")

    def _replaced(self, before: str, after: str) -> bool:
        """False where the file is no longer what it was."""
        target = self.path.resolve()
        try:
            number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(number, "w", encoding="utf-8") as file:
                    file.write(after)
                    file.flush()
                    os.fsync(file.fileno())
                shutil.copymode(target, name)
                if self.read() != before:
                    return False
                Path(name).replace(target)
            finally:
                with suppress(FileNotFoundError):
                    Path(name).unlink()
        except OSError as error:
            message = f"The catalogue {self.path} cannot be written: {error.strerror}."
            raise CommandError("CatalogueNotWritten", message, Exit.FAILED) from None
        return True


@dataclass(frozen=True, slots=True)
class StageStore:
    """SSM knows no conditional write, but numbers what is written. A write that turns out to have
    covered somebody else's is repeated on top of that one."""

    stage: str
    name: str
    rates: Rates

    @property
    def place(self) -> str:
        return f"ssm:{self.name}"

    def read(self) -> str:
        return self._read(self.name)[0]

    def change(self, edit: Edit) -> bool:
        before, version = self._read(self.name)
        written = False
        for _ in range(_TRIES):
            try:
                after = edited(before, edit, self.rates)
            except CommandError:
                if written:
                    self._write(before)
                raise
            if not written and json.loads(after) == json.loads(before):
                return False
            number = self._write(after)
            written = True
            if number == version + 1:
                self._tidy()
                return True
            version = number
            before = self._read(f"{self.name}:{number - 1}")[0]
        message = f"{self.place} is being written by others all the time."
        hint = f"Look at it with `{program()} models --stage {self.stage}`, then try again."
        raise CommandError("CatalogueBusy", message, Exit.FAILED, hint)

    def _read(self, name: str) -> tuple[str, int]:
        try:
            with aws_errors(f"The parameter {name} cannot be read"):
                ssm = aws_client("ssm")
                found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
                text = read_text(ssm, self.name, str(found["Value"]).strip())
        except ConfigurationError as error:
            raise CommandError("CatalogueUnreadable", error.message, Exit.FAILED) from None
        if text is None:
            message = f"Parts of the parameter {name} do not exist."
            raise CommandError("CatalogueUnreadable", message, Exit.FAILED)
        return text, int(found["Version"])

    def _write(self, text: str) -> int:
        with aws_errors(f"The parameter {self.name} cannot be written"):
            return store(aws_client("ssm"), self.name, text)

    def _tidy(self) -> None:
        """What stays is nobody's loss: the next change takes it along."""
        with suppress(CommandError), aws_errors("Old parts cannot be removed"):
            remove_old_parts(aws_client("ssm"), self.name)


type CatalogueStore = FileStore | StageStore
"""`place` is for people. `change` takes the edit of a text; it may call the edit several times, on what
somebody else has written meanwhile. It and `read` raise CommandError."""


def stage_store(stage: str, rates: Rates) -> StageStore:
    """Raises CommandError where the stage reads its catalogue from its deployment."""
    valid_stage(stage)
    _, parameters = stack_facts(stage)
    config = parameters.get("ModelsConfig", "")
    if config.startswith("ssm:"):
        return StageStore(stage, config.removeprefix("ssm:"), rates)
    name = f"/vsl/{stage}/models"
    message = f"{stage} reads its catalogue from its deployment ({config}), not from SSM."
    hint = (
        f"Put the catalogue into {name} (docs/catalogue.md has the command) and deploy once with"
        f" ModelsConfig=ssm:{name}; or add the model to config/models.json and deploy."
    )
    raise CommandError("CatalogueDeployed", message, Exit.REFUSED, hint)


def edited(text: str, edit: Edit, rates: Rates) -> str:
    """Raises CommandError where the text was no catalogue before, or is none afterwards."""
    _check(text, rates, "The catalogue has a mistake already; correct it first")
    after = edit(text)
    if after != text:
        _check(after, rates, "The catalogue would have a mistake")
    return after


def _check(text: str, rates: Rates, what: str) -> None:
    try:
        Catalogue.parse(text, rates)
    except ConfigurationError as error:
        faults = faults_of(error)
        message = f"{what}: {'; '.join(faults[:5])}"
        raise CommandError("CatalogueInvalid", message, Exit.REFUSED, faults=faults) from None


def same_entry(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """But for the day on which they were read."""
    return bool(_undated(first) == _undated(second))


def _undated(entry: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(entry))
    found.get("source", {}).pop("readAt", None)
    return found
