"""Requests as `httpx.get` and its like make them, without what those do anew for each call.

A client of httpx reads the machine's root certificates, 15 ms of processor time for what loopback has no
use for; this one is made once. It keeps no connection, so it notices nothing of servers that tests stop,
and has no time limit but pytest's own.
"""

import httpx

_client = httpx.Client(
    trust_env=False, timeout=None, limits=httpx.Limits(max_keepalive_connections=0)
)

request, stream = _client.request, _client.stream
get, head, options, delete = _client.get, _client.head, _client.options, _client.delete
post, put, patch = _client.post, _client.put, _client.patch
