"""`vsl estimate`: what a job would cost, and whether and when it would run, before it is paid for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cli.client.api import Api
from cli.client.formatting import dollars, queued, seconds
from cli.client.generate import Request
from cli.client.inputs import unsent
from cli.client.screen import Screen


def estimate_command(api: Api, request: Request, screen: Screen) -> None:
    """Files are not uploaded for it."""
    model = api.model(request.model_id)
    found = api.estimate(request.model_id, unsent(request.parameters(model)))
    if screen.as_json:
        screen.answer(found)
        return
    screen.line(f"cost    {dollars(found['estimatedCost'])}{_held(found)}")
    screen.line(f"time    about {seconds(found['estimatedTime'])} at the model")
    if place := queued(found, datetime.now(UTC)):
        screen.line(f"wait    {place}")
    if (refusal := _refusal(found)) is not None:
        screen.line(refusal, "yellow")


def _held(found: Mapping[str, Any]) -> str:
    held = found["wouldHold"]
    return (
        f", {dollars(held)} held while it runs"
        if float(held) != float(found["estimatedCost"] or 0)
        else ""
    )


def _refusal(found: Mapping[str, Any]) -> str | None:
    by = found["refusedBy"]
    if found["admitted"] is not False or by is None:
        return None
    if by["of"] == "model":
        return f"refused {by['modelId']} takes no jobs: an operator has to look at it first"
    if by["of"] == "unpriced":
        return f"refused {by['modelId']} has no price, and you may run only models that have one"
    if by["of"] == "stage":
        return f"refused the deployment's {by['period']} budget has no room for it"
    return f"refused {by['userId']}'s {by['period']} budget has {dollars(by['left'])} left"
