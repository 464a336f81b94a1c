"""The report: one HTML file with all that runs tell."""
