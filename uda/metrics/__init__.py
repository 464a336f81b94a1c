"""Functions of a model's outputs. They know nothing of runs."""
