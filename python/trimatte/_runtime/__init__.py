"""The process: the core is loaded here, threads and cores, memory, worker processes, files of lines."""

from . import native as native
