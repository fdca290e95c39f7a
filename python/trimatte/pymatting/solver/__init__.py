"""Conjugate gradients and what watches them."""
