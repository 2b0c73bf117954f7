"""Keys that VSL mints: checked at the API's edge, made, listed and revoked by operators."""
