"""Audit of how well a person can be re-identified from an ECG. To come."""
