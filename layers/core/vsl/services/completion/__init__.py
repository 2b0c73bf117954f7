"""The end of a job: storing its media, finalizing, recording a failure, repairing what was left."""
