"""Settings that all tests share."""

from hypothesis import settings

# The same examples on every run and machine, and no clock: a slow machine must not fail a law.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
