"""Clips and numbered frames: from where they are, side by side and in order, to where they go.

`sources` are frames that are read, `guides` say where the subject is in each of them, `work` mattes
one, `sinks` are what is written, and `run` joins them.
"""
