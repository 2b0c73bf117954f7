"""What a model answers with, by the shape its catalogue entry declares."""

from typing import Literal

OutputShape = Literal["single", "list", "object", "text", "json"]
"""`single`, `list` and `object` hold addresses of files, at any depth. `text` is a text, or texts that
are joined, `json` is any value: each is stored as one file."""
