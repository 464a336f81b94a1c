"""Reads run folders: evaluation, tables, published numbers, pictures."""
