"""The input schemas of the models, as they publish them."""
