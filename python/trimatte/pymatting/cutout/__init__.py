"""A cutout from files."""
