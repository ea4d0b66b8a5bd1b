"""Packs of criteria, one file each."""
