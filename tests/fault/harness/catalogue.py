"""The product's catalogue with one price changed: every prediction of these runs costs by the second.

So one that was canceled half-way has a cost, which has to reach the books like any other. Two models
besides take the same: one answers with a text, one is a deployment.
"""

import json
from functools import cache

from tests.support.template import REPOSITORY
from vsl.domain.catalogue.catalogue import Catalogue

MODEL = "flux-schnell"
WRITER = "writer"
DEPLOYED = "deployed"


@cache
def catalogue() -> Catalogue:
    known = json.loads((REPOSITORY / "config" / "models.json").read_text())
    entry = known["image"][MODEL]
    entry["price"] = {
        "unit": "gpu_second",
        "amount": "0.001",
        "predictTime": {"base": 1, "per": 1, "of": ["num_outputs"]},
    }
    known["text"] = {WRITER: entry | {"output": "text"}}
    known["image"][DEPLOYED] = entry | {"reference": "deployments/acme/painter"}
    return Catalogue.parse(json.dumps(known))
