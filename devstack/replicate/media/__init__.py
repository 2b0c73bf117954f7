"""Real media without a model: the same input and seed always give the same bytes.

`models` makes them, of `picture`, `film`, `music` and `speech`; it runs in a thread.
"""
