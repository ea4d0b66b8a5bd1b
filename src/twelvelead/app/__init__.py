"""Shells: parse, call, print. No arithmetic."""
