"""Helpers for arrays, pictures and sparse matrices."""
