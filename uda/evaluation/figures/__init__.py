"""Figures for papers and for the report: one kind per file, one style."""
