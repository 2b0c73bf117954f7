"""The other use cases behind the HTTP API: cancel, delete, uploads, models, operations, the API document."""
