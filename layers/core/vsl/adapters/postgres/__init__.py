"""History, accounting and search. One connection per process."""
