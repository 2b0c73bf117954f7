"""What Lambda gives to a handler beside the event."""

from dataclasses import dataclass


@dataclass
class Context:
    """`left` are the seconds until the function's limit."""

    aws_request_id: str = "request-1"
    left: float = 30.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)
