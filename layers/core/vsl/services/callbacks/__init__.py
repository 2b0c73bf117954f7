"""Telling clients of a job's end: delivery, its log and its repetition."""
