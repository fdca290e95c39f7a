"""The colours of the foreground."""
