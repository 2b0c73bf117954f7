"""VSL: one HTTP request in, one finished piece of media out.

`domain` is pure, `services` hold one use case per file, `adapters` talk to the outside,
`runtime` wires them to AWS Lambda. Imports point inward only.
"""

from typing import Final

VERSION: Final = "0.1.0"
