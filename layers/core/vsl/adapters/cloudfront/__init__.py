"""Addresses of a distribution before the media bucket, signed by a key of its key group."""
