"""The use cases behind the protocols of others: each does with jobs what its protocol asks for."""
