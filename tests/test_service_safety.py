"""What the service refuses: too much, too long, from elsewhere, and ways into the operator's network."""

import asyncio
import dataclasses
import http.server
import ipaddress
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from service_client import (
    BOUNDARY,
    Client,
    bomb,
    desk_with,
    file_of,
    multipart,
    running,
    slow_fields,
    whole_request,
)

from trimatte.web import settings as settings_module
from trimatte.web.errors import Refused
from trimatte.web.fetch import Fetcher, is_public
from trimatte.web.guard import JsonLines
from trimatte.web.settings import Settings, from_environment
from trimatte.web.workers import Desk


@pytest.fixture(scope="module")
def guarded():
    """A service with a key, small limits, and one page that may use it."""
    limits = {"api_key": "secret", "body_bytes": 200_000, "pixels": 10_000, "seconds": 20.0, "fetch": True}
    with running(origins=("https://shop.example",), **limits) as client:
        yield client


KEY = {"X-Api-Key": "secret"}


@pytest.fixture
def limited(client, monkeypatch):
    """Return a function that changes the limits of the service for one test."""

    def limit(**limits):
        changed = dataclasses.replace(client.service.settings, **limits)
        monkeypatch.setattr(client.service, "settings", changed)
        monkeypatch.setattr(client.service.desk, "_settings", changed)
        return client

    return limit


class TestPermission:
    def test_a_key_is_asked_for(self, guarded):
        assert guarded.get("/metrics").status == 401
        assert guarded.get("/metrics", **{"X-Api-Key": "guess"}).status == 401
        assert guarded.get("/metrics", **KEY).status == 200
        assert guarded.get("/metrics", Authorization="Bearer secret").status == 200
        assert guarded.get("/health").status == 200

    def test_remove_bg_says_403(self, guarded, files):
        answer = guarded.post("/v1.0/removebg", image_file=files["image"])
        assert (answer.status, answer.json["errors"][0]["code"]) == (403, "auth_failed")

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 200),
            ({"Origin": "https://shop.example"}, 200),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "same-origin"}, 200),
            ({"Host": "rebound.example"}, 403),
            ({"Host": "localhost"}, 200),
            ({"Host": "[::1]:7000"}, 200),
            ({"Host": "127.0.0.1.evil.example"}, 403),
            ({"Host": "[::1"}, 403),
            ({"Origin": "http://[::1"}, 403),
        ],
    )
    def test_other_pages_and_names_are_refused(self, guarded, headers, status):
        assert guarded.get("/health", **headers).status == status

    def test_its_own_page_may(self, guarded):
        assert guarded.get("/health", Origin=f"http://127.0.0.1:{guarded.port}").status == 200

    def test_the_permitted_page_gets_cors_headers(self, guarded):
        answer = guarded.get("/health", Origin="https://shop.example")
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        ask = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        assert guarded.send("OPTIONS", "/v1/matte", None, ask).status == 200


class TestLimits:
    def test_a_long_body_is_refused(self, guarded, files):
        answer = guarded.post("/v1/matte", headers=KEY, image=bytes(300_000), trimap=files["trimap"])
        assert (answer.status, answer.json["error"]["code"]) == (413, "file_too_large")

    def test_a_long_body_without_a_length_is_refused(self, guarded):
        headers = {**KEY, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        answer = guarded.send("POST", "/v1/matte", iter([multipart([("image", bytes(190_000))])] * 2), headers)
        assert answer.status == 413

    def test_many_pixels_are_refused_by_the_files_head(self, guarded, files):
        for name in ("image", "trimap"):
            given = {**{key: files[key] for key in ("image", "trimap")}, name: bomb(20_000, 20_000)}
            answer = guarded.post("/v1/matte", headers=KEY, **given)
            assert answer.status == 413
            assert answer.error == f"{name}: the picture has more than 179 million pixels"
            given[name] = bomb(200, 200)
            answer = guarded.post("/v1/matte", headers=KEY, **given)
            assert answer.error == f"{name}: expected at most 0.01 million pixels, got 0.04 million"

    def test_a_bomb_behind_a_small_head_is_refused(self, guarded, files):
        """The rows say more than the head does."""
        small = bomb(64, 48, rows=20_000_000)
        answer = guarded.post("/v1/matte", headers=KEY, image=small, trimap=files["trimap"])
        assert answer.status in (200, 400)
        assert guarded.get("/health").json["alive"] == 1

    def test_base64_is_limited(self, guarded):
        answer = guarded.post("/v1.0/removebg", headers=KEY, image_file_b64="A" * 300_000)
        assert answer.status == 413

    def test_a_picture_that_needs_too_much_memory_is_refused(self, limited):
        client = limited(memory=150_000_000)
        image = file_of(np.zeros((900, 900, 3), np.uint8))
        answer = client.post("/v1/matte", image=image, key="auto")
        assert answer.status == 413
        assert "that needs about 0.3 GB" in answer.error
        known = np.zeros((900, 900), np.uint8)
        known[:9] = 255
        # The same picture fits if its trimap leaves little unknown.
        assert client.post("/v1/matte", image=image, trimap=file_of(known), what="alpha").status == 200

    def test_a_slow_body_is_given_up(self, limited, files):
        client = limited(seconds=0.2)
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(whole_request([("image", files["image"])])[:-100])
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")

    def test_a_long_solve_is_given_up(self, limited):
        answer = limited(seconds=0.4).post("/v1/matte", **slow_fields())
        assert (answer.status, answer.headers["retry-after"]) == (504, "10")


class TestQueue:
    def test_what_does_not_fit_is_told_when_to_come_again(self, limited, files):
        client, answers = limited(queue=1), []
        desk = client.service.desk
        desk._next = lambda: None  # nothing gets a worker

        def ask():
            answers.append(client.post("/v1/matte", image=files["image"], trimap=files["trimap"]).status)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        while client.get("/health").json["waiting"] < 2:
            pass
        answer = client.post("/v1/matte", image=files["image"], trimap=files["trimap"])
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) >= 1
        del desk._next
        asyncio.run_coroutine_threadsafe(_call(desk._next), client.loop).result(60)
        for thread in threads:
            thread.join(60)
        assert answers == [200, 200]

    def test_a_wait_beyond_the_time_limit_is_refused_at_once(self):
        desk = Desk(Settings(workers=1, memory=1, seconds=10.0), None)
        desk._mean_seconds, desk._inside = 3.0, 4
        desk.refuse_if_full()  # three wait: 9 s
        desk._inside = 5
        with pytest.raises(Refused) as caught:
            desk.refuse_if_full()
        assert (caught.value.status, caught.value.retry_after) == (429, 6)

    def test_requests_go_in_their_order_as_far_as_the_memory_goes(self):
        """The second one needs all memory: it waits for the first, and the third waits behind it."""
        desk = desk_with(workers=3, memory=100)
        order = asyncio.run(in_order(desk, [60, 100, 10]))
        assert order == [0, 1, 2]
        assert desk.state()["memory"] == 0

    def test_one_that_leaves_the_queue_lets_the_next_one_in(self):
        desk = desk_with(workers=2, memory=100)

        async def leave():
            ended, begun = asyncio.Event(), []

            async def done(worker, make, cost):
                begun.append(cost)
                await ended.wait()
                desk._give_back(worker, cost)

            desk._done = done
            first, second, third = (asyncio.ensure_future(desk.do(None, cost)) for cost in (60, 61, 40))
            await asyncio.sleep(0)
            assert (begun, desk.state()["waiting"]) == ([60], 2)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
            await asyncio.sleep(0)
            assert begun == [60, 40]
            ended.set()
            await asyncio.gather(first, third)
            assert desk.state() == {"inside": 0, "waiting": 0, "memory": 0, "alive": 0}

        asyncio.run(leave())


async def _call(function):
    function()


async def in_order(desk, costs):
    order = []
    tasks = [desk.do(lambda number=number: order.append(number), cost) for number, cost in enumerate(costs)]
    await asyncio.gather(*tasks)
    return order


PUBLIC = ("8.8.8.8", "93.184.215.14", "2606:4700::1111", "2001:4860:4860::8888")
PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.0.192", "240.0.0.1", "198.18.0.1",
    "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::1",
)  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_addresses_that_are_not_public(text):
    assert not is_public(ipaddress.ip_address(text))


class Pages(http.server.BaseHTTPRequestHandler):
    """A small web."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Host"]))
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        self.send_response(200 if self.path != "/missing" else 404)
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if self.path == "/slow":
            self.wfile.write(b"x")
            self.server.closing.wait(60)
        else:
            self.wfile.write(b"x" * (5000 if self.path == "/long" else 50))

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.seen, server.closing = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


class TestFetch:
    def fetcher(self, web, resolve=None, allowed=lambda _: True, seconds=20.0):
        port = web.server_address[1]

        async def local(host, _):
            return ["127.0.0.1"]

        return Fetcher(
            1000, seconds, resolve=resolve or local, allowed=allowed, ports={"http": port, "https": 443}
        )

    def url(self, web, path):
        return f"http://pictures.example:{web.server_address[1]}{path}"

    def test_a_picture_comes_from_the_address_that_was_checked(self, web):
        content = asyncio.run(self.fetcher(web).fetch(self.url(web, "/photo.jpg")))
        assert content == b"x" * 50
        assert web.seen[-1] == ("/photo.jpg", f"pictures.example:{web.server_address[1]}")

    def test_redirects_are_followed(self, web):
        assert asyncio.run(self.fetcher(web).fetch(self.url(web, "/to//photo.jpg"))) == b"x" * 50

    @pytest.mark.parametrize(
        ("path", "status", "message"),
        [
            ("/long", 413, "url: expected at most 1000 bytes"),
            ("/missing", 400, "url: expected a picture, got status 404"),
            ("/packed", 400, "url: expected a picture"),
            ("/loop", 400, "url: expected at most 5 redirects"),
            ("/to/file:///etc/passwd", 400, "url: expected http:// or https://"),
            ("/to/gopher://a.example", 400, "url: expected http:// or https://"),
            ("/to/http://a.example:22/", 400, "url: expected neither a port nor a user's name"),
            ("/to/http://user@a.example/", 400, "url: expected neither a port nor a user's name"),
        ],
    )
    def test_what_is_refused(self, web, path, status, message):
        with pytest.raises(Refused) as caught:
            asyncio.run(self.fetcher(web).fetch(self.url(web, path)))
        assert (caught.value.status, caught.value.message[: len(message)]) == (status, message)

    def test_slow_answers_are_given_up(self, web):
        with pytest.raises(Refused, match="got none"):
            asyncio.run(self.fetcher(web, seconds=0.3).fetch(self.url(web, "/slow")))

    @pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://[::1]/", "http://localhost/", "http://0x7f.1/"])
    def test_this_machine_is_refused(self, url):
        with pytest.raises(Refused, match="url: expected a public address"):
            asyncio.run(Fetcher(1000, 20.0).fetch(url))

    def test_a_redirect_to_a_private_address_is_refused(self, web):
        async def resolve(host, _):
            return ["127.0.0.1" if host == "pictures.example" else "169.254.169.254"]

        def allowed(address):
            return address != ipaddress.ip_address("169.254.169.254")

        inner = self.url(web, "/x").replace("pictures", "metadata")
        with pytest.raises(Refused, match="url: expected a public address"):
            asyncio.run(self.fetcher(web, resolve, allowed).fetch(self.url(web, f"/to/{inner}")))

    def test_a_name_with_one_private_address_is_refused(self, web):
        async def resolve(host, _):
            return ["8.8.8.8", "10.0.0.1"]

        with pytest.raises(Refused, match="url: expected a public address"):
            asyncio.run(self.fetcher(web, resolve, is_public).fetch(self.url(web, "/x")))

    def test_a_name_is_resolved_once_for_a_connection(self, web):
        """Its address changes after the check, and the change is not seen."""
        answers = [["127.0.0.1"], ["10.0.0.1"]]
        asked = []

        async def resolve(host, _):
            asked.append(host)
            return answers[len(asked) - 1]

        assert asyncio.run(self.fetcher(web, resolve).fetch(self.url(web, "/photo.jpg"))) == b"x" * 50
        assert asked == ["pictures.example"]

    def test_the_service_refuses_private_addresses(self, guarded):
        answer = guarded.get("/api/remove?url=http://169.254.169.254/latest/meta-data", **KEY)
        # A photograph needs a mask as well; the address is refused before.
        assert answer.status == 400
        assert answer.json["detail"].startswith("url: expected a public address")


class TestSettings:
    def test_they_come_from_the_environment(self):
        made = from_environment(
            {
                "TRIMATTE_WORKERS": "3",
                "TRIMATTE_SECONDS": "1.5",
                "TRIMATTE_FETCH": "true",
                "TRIMATTE_HOSTS": "a.example, b.example",
                "TRIMATTE_API_KEY": "k",
                "OTHER": "x",
            }
        )
        assert (made.workers, made.seconds, made.fetch, made.api_key) == (3, 1.5, True, "k")
        assert made.hosts == ("a.example", "b.example")
        assert from_environment({"TRIMATTE_HOSTS": "*"}).hosts == ()

    def test_what_is_not_given_depends_on_the_machine(self, monkeypatch):
        monkeypatch.setattr(settings_module, "available_memory", lambda: 1000)
        monkeypatch.setattr(settings_module, "usable_cpus", lambda: 7)
        assert (Settings().workers, Settings().memory) == (7, 800)

    @pytest.mark.parametrize(
        ("name", "text"), [("WORKERS", "many"), ("WORKERS", "-1"), ("SECONDS", "0"), ("FETCH", "maybe")]
    )
    def test_bad_values_are_named(self, name, text):
        with pytest.raises(ValueError, match=name.lower() if text in ("-1", "0") else f"TRIMATTE_{name}"):
            from_environment({f"TRIMATTE_{name}": text})


def test_the_log_has_no_content_of_requests(guarded, files, caplog):
    with caplog.at_level(logging.INFO, "trimatte.web"):
        guarded.post("/v1/matte?token=hidden", headers=KEY, image=files["image"], key="#123456", what="hidden")
        guarded.get("/hidden")
        guarded.get("/health")  # whose turn comes when the line before is written
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    assert [(line["path"], line["status"]) for line in lines] == [("/v1/matte", 400), ("other", 401)]
    assert lines[0]["code"] == "invalid_what"
    assert lines[0]["bytes_in"] > len(files["image"])
    assert "hidden" not in json.dumps(lines)
    assert "123456" not in json.dumps(lines)


@contextmanager
def command(*arguments, **environment):
    """Run `trimatte serve` and give it with a client, once it answers."""
    call = [sys.executable, "-m", "trimatte", "serve", "--port", "0", "--workers", "1", *arguments]
    process = subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        line = process.stdout.readline()
        yield process, Client(int(re.search(r":(\d+)/docs", line)[1]))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that can be caught")
def test_sigterm_lets_a_request_end(files):
    with command() as (process, client):
        fields = [("image", files["image"]), ("trimap", files["trimap"]), ("method", "best")]
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(whole_request(fields))
            while client.get("/health").json["inside"] < 1:
                pass
            process.send_signal(signal.SIGTERM)
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [json.loads(line)["path"] for line in log.splitlines()][-1] == "/v1/matte"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--host", "0.0.0.0"], 2, "set TRIMATTE_API_KEY, or say --open"),
        (["--max-bytes", "much"], 2, "--max-bytes: expected a size such as 8G or 500M, got 'much'"),
        (["--workers", "0"], 2, "0 is not in the range"),
    ],
)
def test_bad_options_are_refused(arguments, code, message, capsys):
    from trimatte.cli import run

    assert run(["serve", *arguments]) == code
    assert message in capsys.readouterr().err


def test_a_port_in_use_is_named(capsys):
    from trimatte.cli import run

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--port", str(port)]) == 1
    assert capsys.readouterr().err.startswith(f"trimatte: error: 127.0.0.1:{port}: ")
