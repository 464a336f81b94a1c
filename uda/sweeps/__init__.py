"""Many runs: planned by a recipe, run once each, and made into a table."""
