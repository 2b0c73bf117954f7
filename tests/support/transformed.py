"""`python -m tests.support.transformed FOLDER`: what CloudFormation gets, written for cfn-lint.

One with the resources of a gradual rollout and one without: of all parameters the translator looks
at that one alone. The others are conditions in the result, and cfn-lint goes through those.
"""

import json
import sys
from pathlib import Path

from tests.support.deployed import transformed
from tests.support.template import template


def write(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    rollouts = template()["Mappings"]["Rollouts"]
    for rollout in {rollouts[name]["Gradual"]: name for name in rollouts}.values():
        path = folder / f"{rollout}.json"
        # Lines for cfn-lint to name, without the blanks: they would count in the template's size.
        path.write_text(json.dumps(transformed({"Rollout": rollout}), indent=0))
        written.append(path)
    return written


if __name__ == "__main__":
    for each in write(Path(sys.argv[1])):
        print(each)  # noqa: T201 - cfn-lint takes them
