"""What the provider tells of a prediction, read leniently, and what an end of it means."""
