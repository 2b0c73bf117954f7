"""One factory for each use case: it gives the use case its adapters and settings, once in a process."""
