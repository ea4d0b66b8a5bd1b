"""Recordings, and what can be done to them without knowing what a heartbeat is."""

from twelvelead.signal.recording import Recording

__all__ = ["Recording"]
