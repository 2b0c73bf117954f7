"""`vsl doctor`: what does not agree between the stores, the provider and the world, and its cure."""
