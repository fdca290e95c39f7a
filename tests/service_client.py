"""A running service, and a client that speaks to it as curl does.

Tests that import it are skipped without the service's extra.
"""

import asyncio
import http.client
import importlib.util
import json
import struct
import threading
import zlib
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest

import trimatte as tm

if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn", "httpcore")):
    pytest.skip('the service needs the extra: pip install "trimatte[web]"', allow_module_level=True)

import uvicorn

from trimatte.io.write import Output, encoded
from trimatte.web.app import application
from trimatte.web.settings import Settings
from trimatte.web.workers import Desk, Worker

BOUNDARY = "------trimatte"


class Answer(NamedTuple):
    """What came back; `error` is the message of a refusal."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]["message"]


def multipart(fields):
    """The body of a form; bytes are files, texts are texts."""
    parts = []
    for name, value in fields:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        head += f'; filename="{name}"\r\n\r\n' if isinstance(value, bytes) else "\r\n\r\n"
        parts += [head.encode(), value if isinstance(value, bytes) else value.encode(), b"\r\n"]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def whole_request(fields):
    """A request for a matte as the bytes of a connection."""
    body = multipart(fields)
    head = f"POST /v1/matte HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode() + body


class Client:
    """Speaks to a service on this machine."""

    def __init__(self, port, service=None):
        self.port, self.service = port, service

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def send(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.send("GET", path, None, headers)

    def post(self, path, *more, headers=None, **fields):
        body = multipart([*fields.items(), *more])
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.send("POST", path, body, {**kind, **(headers or {})})


@contextmanager
def running(**settings):
    """Run a service on a free port, in a thread of its own."""
    app = application(Settings(**{"workers": 1, "memory": 10**10, **settings}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    started, start, loops = threading.Event(), server.startup, []

    async def startup(sockets=None):
        await start(sockets)
        loops.append(asyncio.get_running_loop())
        started.set()

    server.startup = startup
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(60), "the service did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        client = Client(port, app.state.service)
        client.loop = loops[0]
        yield client
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def file_of(pixels, name="x.png"):
    """What a picture file holds."""
    return encoded(Output(name, pixels))


def pixels_of(content):
    return tm.io.read_picture(content).pixels


def pictures(height=48, width=64):
    """A picture of 8 bits with all that can guide it, as files; and the arrays."""
    scene = tm.datasets.hair(height, width, seed=2)
    image = np.round(scene.image * 255).astype(np.uint8)
    mask = (scene.alpha > 0.5).astype(np.uint8) * np.uint8(255)
    screen = np.round(255 * tm.composite(scene.foreground, scene.alpha, (0.1, 0.7, 0.2))).astype(np.uint8)
    painted = image.copy()
    painted[scene.trimap == 255], painted[scene.trimap == 0] = 255, 0
    arrays = {"image": image, "trimap": scene.trimap, "mask": mask, "screen": screen, "scribbles": painted}
    return arrays, {name: file_of(array) for name, array in arrays.items()}


def slow_fields():
    """The form of a request that takes long: an information-flow solve of wide unknown regions."""
    _, files = pictures(300, 400)
    wide = np.full((300, 400), 128, np.uint8)
    wide[:5], wide[-5:, 100:140] = 0, 255
    return {"image": files["image"], "trimap": file_of(wide), "method": "information-flow"}


def bomb(width, height, rows=0):
    """A small PNG that says that it is large, or whose rows are longer than it says."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


class Instant(Worker):
    """A worker without a process."""

    def __init__(self):
        super().__init__(Settings(workers=1, memory=1))


def desk_with(workers, memory):
    """A queue before workers that do each task at once."""
    desk = Desk(Settings(workers=workers, memory=memory), None)
    desk._free.extend(Instant() for _ in range(workers))

    async def done(worker, make, cost):
        await asyncio.sleep(0)
        desk._give_back(worker, cost)
        return make()

    desk._done = done
    return desk
