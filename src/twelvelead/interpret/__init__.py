"""Measurements to statements, each with the evidence it rests on."""
