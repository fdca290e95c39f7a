"""A service in a process of its own, and a small HTTP client that costs little time."""

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

BOUNDARY = b"----trimatte-benchmark"


def form(fields):
    """The body of a multipart form; bytes are files, texts are texts."""
    parts = []
    for name, value in fields:
        file = f'; filename="{name}"' if isinstance(value, bytes) else ""
        head = f'Content-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        content = value if isinstance(value, bytes) else value.encode()
        parts += [b"--" + BOUNDARY + b"\r\n" + head.encode(), content, b"\r\n"]
    return b"".join([*parts, b"--" + BOUNDARY + b"--\r\n"])


async def post(host, port, path, fields):
    """Send a form and return status, headers and body."""
    body = form(fields)
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\nContent-Length: {len(body)}\r\n"
    return await _ask(host, port, f"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{kind}\r\n", body)


async def get(host, port, path):
    """Return status, headers and body of what is at a path."""
    return await _ask(host, port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", b"")


async def _ask(host, port, head, body):
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    lines, _, content = answer.partition(b"\r\n\r\n")
    first, *rest = lines.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in rest)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, content


@contextmanager
def service(folder, *arguments):
    """Run `trimatte serve` on a free port; its temporary files and its log lie in a folder."""
    (Path(folder) / "tmp").mkdir()
    with open(os.path.join(folder, "service.log"), "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "trimatte", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "TMPDIR": os.path.join(folder, "tmp")},
        )
        try:
            yield process, int(re.search(r":(\d+)/docs", process.stdout.readline())[1])
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(60)
            process.stdout.close()


def requests_in(folder):
    """The lines of the service's log that are about requests."""
    for line in (Path(folder) / "service.log").read_text().splitlines():
        if line.startswith("{"):
            record = json.loads(line)
            if record["event"] == "request":
                yield record


def family(number):
    """A process and all below it, as numbers."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found = {number}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def memory_of(number):
    """Bytes that a process and all below it hold in memory."""
    total = 0
    for member in family(number):
        try:
            total += int(Path(f"/proc/{member}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total
