"""The catalogue's own commands: read a model's schema from the provider, write, compare, take away entries."""
