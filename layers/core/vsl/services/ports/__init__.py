"""What the use cases need from outside, one file for each thing it serves. Adapters implement these.

Every method may be called more than once with the same arguments: each is idempotent. Unless said
otherwise a store that does not answer raises `StoreUnavailable`."""
