"""Repeats a method's `update` and keeps a run folder."""
