"""The command line: one file per command; each parses, calls one function of a room above, and prints."""
