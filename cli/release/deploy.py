"""`python -m cli.release.deploy STAGE [Name=Value …] [-- ARGUMENT …]`: SAM, for a stage.

What samconfig.toml says for the stage holds; parameters that are named here replace one value each,
where SAM would take them for the whole list. Of the environment count CLOUDFORMATION_ROLE_ARN,
ARTIFACT_BUCKET and PERMISSIONS_BOUNDARY_ARN (deployment/github.yaml puts them out).
"""

import os
import sys
from collections.abc import Mapping, Sequence

from cli.release.preflight import configured
from devstack.paths import TEMPLATE
from devstack.template import load_yaml

SAM = ".venvs/sam/bin/sam"


def command(
    stage: str, given: Sequence[str], arguments: Sequence[str], environment: Mapping[str, str]
) -> list[str]:
    """Raises ValueError for what is no parameter of the template."""
    words = [SAM, "deploy", "--config-env", stage]
    if role := environment.get("CLOUDFORMATION_ROLE_ARN"):
        words += ["--role-arn", role]
    if bucket := environment.get("ARTIFACT_BUCKET"):
        words += ["--no-resolve-s3", "--s3-bucket", bucket]
    own = parameters(given)
    if boundary := environment.get("PERMISSIONS_BOUNDARY_ARN"):
        own = {"PermissionsBoundaryArn": boundary, **own}
    if own:
        pairs = {**configured(stage), **own}
        words += ["--parameter-overrides", *(f"{name}={value}" for name, value in pairs.items())]
    return [*words, *arguments]


def parameters(given: Sequence[str]) -> dict[str, str]:
    """`Name=Value` each. Raises ValueError."""
    known = load_yaml(TEMPLATE)["Parameters"]
    found = {}
    for word in given:
        name, separator, value = word.partition("=")
        if not separator or name not in known:
            raise ValueError(f"{word!r} is no parameter of template.yaml and its value.")
        found[name] = value
    return found


def main(words: Sequence[str]) -> None:
    stage, *rest = words
    cut = rest.index("--") if "--" in rest else len(rest)
    try:
        made = command(stage, rest[:cut], rest[cut + 1 :], os.environ)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    os.execv(made[0], made)  # noqa: S606 # nosec B606 - no shell, and SAM is a file of ours


if __name__ == "__main__":
    main(sys.argv[1:])
