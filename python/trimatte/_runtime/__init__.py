"""The process: its interpreter, threads and cores, memory, worker processes, files of lines."""

from . import native as native
