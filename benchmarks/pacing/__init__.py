"""Pacing, measured: bursts in virtual time through the real scripts, and one on the running stack."""
