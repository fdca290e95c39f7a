"""trimatte in place of parts of other programs; each has a file of its own."""
