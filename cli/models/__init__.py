"""The catalogue's own commands: read a model from the provider, write, compare and remove entries."""
