"""The log a model writes while it works, progress bar included (tqdm's, which the clients parse)."""

from collections.abc import Mapping
from typing import Any

from devstack.replicate.model import Model

_BAR = 10


def log_lines(model: Model, asked: Mapping[str, Any], seed: int) -> list[str]:
    """Lines in the order they appear, each with its newline."""
    lines = [f"Using seed: {seed}\n"]
    if isinstance(asked.get("prompt"), str):
        lines.append(f"Prompt: {asked['prompt']}\n")
    steps = _steps(asked)
    rate = steps / max(0.1, model.seconds(asked))
    shown = sorted({round(steps * part / _BAR) for part in range(_BAR + 1)})
    return lines + [_tqdm(done, steps, rate) for done in shown]


def _steps(asked: Mapping[str, Any]) -> int:
    for name in ("num_inference_steps", "steps"):
        if isinstance(asked.get(name), int):
            return int(asked[name])
    return 25


def _tqdm(done: int, total: int, rate: float) -> str:
    filled = "█" * round(_BAR * done / total)
    spent, left = done / rate, (total - done) / rate
    speed = f"{rate:.2f}it/s" if done else "?it/s"
    remaining = f"{int(left) // 60:02d}:{int(left) % 60:02d}" if done else "?"
    elapsed = f"{int(spent) // 60:02d}:{int(spent) % 60:02d}"
    percent = round(100 * done / total)
    return f"{percent:3d}%|{filled:<{_BAR}}| {done}/{total} [{elapsed}<{remaining}, {speed}]\n"
