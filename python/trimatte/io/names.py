"""Files here and elsewhere: names that are URLs go through fsspec (extra ``[remote]``)."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ..errors import PictureError

TEMPORARY = ".trimatte-"
STANDARD = "-"
"""The name that means standard input or output."""


def is_url(name: str) -> bool:
    """Whether a name is a URL: ``s3://``, ``gs://``, ``https://``, ... A drive letter is none."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name) is not None


def local_path(name: str, windows: bool = sys.platform == "win32") -> str:
    """Return the path that a URL of this machine, ``file:///a.png``, means; keep other names.

    On Windows ``file://server/share/a.png`` is on another machine: ``//server/share/a.png``.
    """
    path = re.sub(r"^(file|local)://", "", name)
    if not windows or path == name:
        return path
    path = re.sub(r"^(localhost)?/(?=[A-Za-z]:)", "", path)  # file:///C:/a.png
    return path if re.match(r"[A-Za-z]:|/", path) else f"//{path}"


def place_of(path: str) -> str:
    """Return what tells a file from others, however its name is written."""
    if path == STANDARD:
        return path
    path = local_path(path)
    return path if is_url(path) else os.path.realpath(path)


def with_slashes(name: str, separator: str = os.sep) -> str:
    """Return a local name with "/" between its parts.

    A backslash separates parts on Windows only.
    """
    return name if is_url(name) else name.replace(separator, "/")


def filesystem(url: str) -> tuple[Any, str]:
    """Return fsspec's file system and the path in it."""
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise PictureError(f'{url}: a URL needs fsspec: pip install "trimatte[remote]"') from error
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise PictureError(f"{url}: {error}") from error
    return files, path


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Open a file, a URL or standard input ("-") for reading; what cannot be rewound is read whole."""
    if name == STANDARD:
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    if not is_url(name):
        with open(name, "rb") as file:
            yield file if file.seekable() else io.BytesIO(file.read())
        return
    files, path = filesystem(name)
    with as_os_errors(name):
        content = files.cat_file(path)
    yield io.BytesIO(content)


@contextmanager
def replacing(name: str, mark: str = "", *, durable: bool = False) -> Iterator[IO[bytes]]:
    """Open a temporary file that takes the place of `name` once all went well.

    What is written to "-" goes to standard output in one piece. A file gets the permissions of the
    file that it replaces.

    Parameters
    ----------
    name : str
        A file, a URL or "-". What is written to a URL is sent in one piece at the end.
    mark : str
        Part of the temporary file's name, by which a run finds what it left when it was killed.
    durable : bool
        Whether to wait until the content is on the disk, so that a failure of power never leaves
        an empty file of this name.
    """
    if name == STANDARD:
        buffer = io.BytesIO()
        yield buffer
        sys.stdout.buffer.write(buffer.getvalue())
        sys.stdout.buffer.flush()
        return
    if is_url(name):
        files, path = filesystem(name)
        buffer = io.BytesIO()
        yield buffer
        with as_os_errors(name):
            files.pipe_file(path, buffer.getvalue())
        return
    import secrets  # here, so that importing trimatte stays light

    target = os.path.realpath(name)
    temporary = os.path.join(os.path.dirname(target), f"{TEMPORARY}{mark}{secrets.token_hex(8)}.tmp")
    try:
        # Not `tempfile`: its files are private, new ones get the permissions that the umask allows.
        with open(temporary, "xb") as file:
            with suppress(OSError):
                os.chmod(temporary, os.stat(target).st_mode & 0o777)
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _rename(temporary, target)
    except BaseException as error:
        _remove(temporary)
        if (
            isinstance(error, OSError)
            and not isinstance(error, PictureError)
            and error.filename in (None, temporary)
        ):
            error.filename = name
        raise


def remove_leftovers(folder: str, mark: str) -> None:
    """Remove the temporary files with this mark that a killed run left in a folder."""
    with suppress(OSError):
        for leftover in Path(folder).glob(f"{TEMPORARY}{mark}*.tmp"):
            leftover.unlink()


_WAITS = (0.01, 0.05, 0.25, 0.7) if sys.platform == "win32" else ()
"""Seconds to wait for somebody who has a file open.

On Windows a virus scanner or a preview that reads a file keeps others from replacing it.
"""


def _rename(temporary: str, target: str) -> None:
    """Let a file take the place of another; wait for its readers where the system asks for that."""
    for wait in _WAITS:
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(temporary, target)


def _remove(temporary: str) -> None:
    """Remove a file, also one that has the permissions of a read-only file, if it can be removed."""
    with suppress(OSError):
        try:
            os.unlink(temporary)
        except PermissionError:  # Windows removes no read-only file
            os.chmod(temporary, 0o600)
            os.unlink(temporary)


def state_of(name: str) -> str:
    """Say how a file or a URL is now: another text means that it has changed.

    OSError is raised if it is missing.
    """
    if not is_url(name):
        info = os.stat(name)
        return f"{info.st_size} {info.st_mtime_ns}"
    files, path = filesystem(name)
    with as_os_errors(name):
        info = files.info(path)
    marks = (info.get(key) for key in ("ETag", "etag", "md5Hash", "LastModified", "mtime", "updated"))
    return " ".join(str(mark) for mark in (info.get("size"), *marks) if mark is not None)


def size_of(name: str) -> int:
    """Return the size in bytes. Raises OSError if the file is missing."""
    if not is_url(name):
        return os.stat(name).st_size
    files, path = filesystem(name)
    with as_os_errors(name):
        return int(files.info(path)["size"])


@contextmanager
def as_os_errors(name: str) -> Iterator[None]:
    """Turn what the many file systems raise into OSError."""
    try:
        yield
    except FileNotFoundError as error:
        raise PictureError(f"{name}: no such file, or no such bucket") from error
    except OSError:
        raise
    except Exception as error:  # botocore, aiohttp, gcsfs, ... have their own
        raise PictureError(f"{name}: {' '.join(str(error).split()) or type(error).__name__}") from error
