"""The models, their parameters and prices, and how a request becomes the provider's input."""
