"""From the provider's documents of a model to an entry of the catalogue. Pure: no network, no files."""
