"""Use cases behind the routes that speak another API's protocol."""
