"""Preconditioners for `trimatte.pymatting.solver.cg`."""
