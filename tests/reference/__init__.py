"""Slow, obvious NumPy versions of what the native core computes, straight from the papers."""
