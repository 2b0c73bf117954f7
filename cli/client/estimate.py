"""`vsl estimate`: what a job would cost, and whether and when it would run, before it is paid for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.client.commands import Files, ModelToRun, Pairs, Prompt, user_command
from cli.client.formatting import dollars, queued, seconds
from cli.client.inputs import read_parameters, unsent

if TYPE_CHECKING:
    from cli.client.api import Api
    from cli.client.screen import Screen


@user_command
def estimate_command(
    api: "Api",
    screen: "Screen",
    model: ModelToRun,
    *,
    prompt: Prompt = None,
    parameter: Pairs = None,
    image: Files = None,
    audio: Files = None,
) -> None:
    """What a job would cost and how long it would take; nothing is made."""
    parameters = read_parameters(
        api.model(model), prompt=prompt, pairs=parameter, images=image, sounds=audio
    )
    found = api.estimate(model, unsent(parameters))
    if screen.answer(found):
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
