"""The same job by what a user would pick instead: create, wait, download, store, record."""
