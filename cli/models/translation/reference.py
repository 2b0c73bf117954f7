"""What is named on the command line: a model, a version of one, or a deployment."""

import re
from dataclasses import dataclass
from typing import Self

_SITE = re.compile(r"^(https?://)?(www\.)?replicate\.com/", re.IGNORECASE)
_NAME = r"[a-z0-9][\w.-]*"
_MODEL = re.compile(rf"({_NAME})/({_NAME})(?::([0-9a-f]{{64}}))?", re.ASCII)
_DEPLOYMENT = re.compile(rf"deployments/({_NAME})/({_NAME})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """`version` is None for the newest one, and for a deployment, which has its own."""

    owner: str
    name: str
    version: str | None = None
    deployment: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError with what is wrong. An address of the provider's site is taken, too."""
        named = _SITE.sub("", text.strip()).rstrip("/").replace("/versions/", ":")
        if found := _DEPLOYMENT.fullmatch(named):
            return cls(found[1], found[2], deployment=True)
        if found := _MODEL.fullmatch(named):
            return cls(found[1], found[2], found[3])
        if ":" in named:
            raise ValueError(
                f"{text!r}: a version is 64 hexadecimal digits; leave it out for the newest one"
            )
        raise ValueError(
            f"{text!r} is not OWNER/NAME, OWNER/NAME:VERSION or deployments/OWNER/NAME"
        )

    def __str__(self) -> str:
        version = f":{self.version}" if self.version else ""
        return f"{self.unpinned}{version}"

    @property
    def unpinned(self) -> str:
        """The same without a version."""
        return f"{'deployments/' if self.deployment else ''}{self.owner}/{self.name}"
