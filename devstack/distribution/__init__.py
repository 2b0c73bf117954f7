"""The distribution of stored files, played on this machine after the template's CloudFront resources.

Nothing is kept: each request is handed on to the engine's S3.
"""
