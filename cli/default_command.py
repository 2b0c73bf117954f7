"""A group of commands, one of which runs where none is named: `vsl models`, `vsl models unfreeze`."""

from typing import Any

from typer.core import TyperGroup


class DefaultCommand(TyperGroup):
    """The first command added is the default."""

    @property
    def default(self) -> str:
        return next(iter(self.commands))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
