"""Real media without a model: the same input and seed always give the same bytes.

`models` makes those of the catalogue, `declared` those of any other schema; both run in a thread.
"""
