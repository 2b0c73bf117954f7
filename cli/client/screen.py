"""Where a command's words go: data to stdout, progress and errors to stderr, JSON alone when asked."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.client.errors import CommandError, Exit, file_error
from cli.client.formatting import plain

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_A_PIPE = 120


@dataclass
class Screen:
    """`as_json` silences everything but the one object that `answer` or an error prints."""

    as_json: bool = False

    @cached_property
    def out(self) -> "Console":
        from rich.console import Console

        wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH_OF_A_PIPE
        return Console(width=wide, highlight=False)

    @cached_property
    def err(self) -> "Console":
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def answer(self, document: Any) -> bool:
        """The command's one JSON object, with `as_json`; whether that was asked for, and no more is to
        be printed."""
        if self.as_json:
            print(json.dumps(document, ensure_ascii=False), flush=True)
        return self.as_json

    def line(self, text: str, style: str = "") -> None:
        """A line of the data itself; `text` is not markup."""
        self.out.print(plain(text), style=style, markup=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """A line for the person beside the data; `text` is not markup, whatever is in it."""
        if not self.as_json:
            self.err.print(plain(text), style=style, markup=False, soft_wrap=True)

    def confirm(self, question: str) -> None:
        """Raises CommandError unless a person says yes, or where standard input is no terminal."""
        if self.as_json or not sys.stdin.isatty():
            message = "There is no terminal to ask on."
            raise CommandError("NotConfirmed", message, Exit.REFUSED, "Add --yes to do it.")
        self.err.print(f"{question} [y/N] ", end="", markup=False)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("NotConfirmed", "Nothing was done.", Exit.FAILED)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Ends the process with the error's exit code, having said what to do next."""
        try:
            yield
        except CommandError as error:
            self._show(error)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.filename is None:
                raise
            self._show(file_error(error))
            sys.exit(Exit.FAILED)
        except KeyboardInterrupt:
            self._show(CommandError("Interrupted", "Interrupted.", Exit.INTERRUPTED))
            sys.exit(Exit.INTERRUPTED)

    def _show(self, error: CommandError) -> None:
        if self.answer(error.document()):
            return
        style = "yellow" if error.exit_code == Exit.INTERRUPTED else "red"
        self.err.print(plain(error.message), style=style, markup=False, soft_wrap=True)
        if error.hint:
            self.err.print(plain(error.hint), markup=False, soft_wrap=True)
