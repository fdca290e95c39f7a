"""The process: the core is loaded here, threads and cores, worker processes, files of lines."""

from . import native as native
