"""One use case per file; what they need from outside is a Protocol in `ports`."""
