"""`python -m cli.release.finish TEMPLATE`: what `sam build` made, ready for AWS.

- Every function gets a release, a word in its environment. A function publishes a version when its
  properties change in the template, and Lambda refuses one whose code and configuration are those
  of the version before: a tag is no part of the configuration, the environment is.
- The API document loses its references, which API Gateway does not read (inline.py).
- The rule that keeps an unfinished build from AWS goes away.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from cli.release.inline import inlined
from devstack.template import load_yaml

DOCUMENT = "openapi.json"
RULE = "BuiltByMake"
VARIABLE = "RELEASE"


def finish(path: Path, at: datetime) -> str:
    """Finish the built template at `path`; the release. Raises ValueError if that was done before."""
    template = load_yaml(path)
    if template.get("Rules", {}).pop(RULE, None) is None:
        raise ValueError(
            f"{path} has no rule {RULE}: it is finished already, or not this template."
        )
    release = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    template["Globals"]["Function"]["Environment"]["Variables"][VARIABLE] = release
    include = _include(template)
    document = inlined(load_yaml(path.parent / include["Location"]))
    (path.parent / DOCUMENT).write_text(json.dumps(document, ensure_ascii=False))
    include["Location"] = DOCUMENT
    path.write_text(yaml.dump(template, Dumper=_Dumper, sort_keys=False, allow_unicode=True))
    return release


def _include(template: Mapping[str, Any]) -> dict[str, Any]:
    body = template["Resources"]["Api"]["Properties"]["DefinitionBody"]
    found: dict[str, Any] = body["Fn::Transform"]["Parameters"]
    return found


class _Dumper(yaml.SafeDumper):
    """Without anchors: CloudFormation's YAML has none."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


if __name__ == "__main__":
    print(f"Release {finish(Path(sys.argv[1]), datetime.now(UTC))}")
