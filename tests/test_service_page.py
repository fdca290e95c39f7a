"""The page to paint on as a part of a service: its permission, limits and queue are the service's."""

import asyncio
import json
import threading
from contextlib import AsyncExitStack

import pytest
from service_client import bomb, desk_with, pixels_of, running

import trimatte as tm
from trimatte.web.errors import Refused
from trimatte.web.paint._solving import Ticket
from trimatte.web.paint._stream import Stream
from trimatte.web.service import Service
from trimatte.web.settings import Settings

KEY = {"X-Api-Key": "secret"}


@pytest.fixture(scope="module")
def client():
    with running(api_key="secret", body_bytes=100_000, pixels=20_000, paintings=2) as client:
        yield client


def said(client, path, message, **headers):
    return client.send("POST", path, json.dumps(message), {**KEY, **headers})


@pytest.fixture
def path(client, files):
    """Where a picture is that a visitor has opened, with a trimap."""
    opened = client.send("POST", "/paint/data/pictures?name=a.png", files["image"], KEY).json
    path = f"/paint/data/pictures/{opened['id']}"
    assert client.send("POST", f"{path}/guide?name=t.png", files["trimap"], KEY).status == 200
    return path


def test_the_page_is_for_all_and_its_data_for_those_with_the_key(client):
    page = client.get("/paint/")
    assert page.status == 200
    assert "'self'" in page.headers["content-security-policy"]
    assert client.get("/paint/app.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/paint").headers["location"] == "/paint/"
    answer = client.get("/paint/data/begin")
    assert (answer.status, answer.json["error"]["code"]) == (401, "auth_failed")
    assert client.get("/paint/data/begin", **KEY).json["limits"] == {"file_bytes": 100_000, "megapixels": 0.02}


def test_a_link_may_lead_to_the_page_but_not_to_its_data(client):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/paint/", **link).status == 200
    assert client.get("/paint/data/begin", **KEY, **link).status == 403
    assert client.get("/paint/app.js", **{**link, "Sec-Fetch-Mode": "no-cors"}).status == 403
    assert client.get("/paint/", **link, Host="rebound.example").status == 403
    assert said(client, "/paint/data/pictures/x/cancel", {}, Origin="https://evil.example").status == 403


def test_a_visitor_gets_the_librarys_alpha(client, path, guided):
    arrays = guided[0]
    answer = said(client, f"{path}/save", {"what": "alpha"})
    line, _, content = answer.body.partition(b"\n")
    while b"result" not in line:
        line, _, content = content.partition(b"\n")
    want = tm.estimate_alpha(arrays["image"], arrays["trimap"], method="closed-form")
    assert abs(pixels_of(content) / 255 - want).max() < 2.5e-3
    assert client.get("/health").json["memory"] == 0


def test_limits_are_the_services(client, path):
    def load(content):
        return client.send("POST", "/paint/data/pictures?name=a.png", content, KEY)

    assert load(bytes(200_000)).status == 413
    answer = load(bomb(200, 200))
    assert (answer.status, answer.json["error"]["code"]) == (413, "resolution_too_high")
    assert client.send("POST", f"{path}/guide?name=t.png", bomb(200, 200), KEY).status == 413
    assert said(client, f"{path}/strokes", {"keep": 0, "add": [[0] * 50_000]}).status == 413


def test_a_picture_that_needs_too_much_memory_is_refused():
    service = Service(Settings(workers=1, memory=1000))
    with pytest.raises(Refused) as caught:
        service.place(1001)
    assert caught.value.status == 413


def test_the_numbers_and_the_log_hold_no_name_of_a_picture(client, path):
    text = client.get("/metrics", **KEY).body.decode()
    assert 'path="/paint/"' in text
    assert path.rpartition("/")[2] not in text


def test_a_service_may_have_no_page():
    with running(paintings=0) as client:
        assert client.get("/paint/").status == 404
        assert client.get("/health").status == 200


def test_solves_of_the_page_take_turns_with_requests():
    """While the page has the only worker's turn, a request waits; what has left the queue keeps nothing."""
    desk = desk_with(workers=1, memory=100)

    async def turns():
        order = []
        async with desk.place(60) as threads:
            assert threads >= 1
            waiting = asyncio.ensure_future(desk.do(lambda: order.append("request"), 10))
            await asyncio.sleep(0)
            assert desk.state() == {"inside": 2, "waiting": 1, "memory": 60, "alive": 0}
            order.append("page")
        await waiting
        assert order == ["page", "request"]
        assert desk.state() == {"inside": 0, "waiting": 0, "memory": 0, "alive": 0}

    asyncio.run(turns())


def test_the_page_is_refused_where_the_queue_is_full():
    desk = desk_with(workers=1, memory=100)
    desk._inside = 1 + desk._settings.queue

    async def ask():
        async with desk.place(1):
            pass

    with pytest.raises(Refused, match="too many requests"):
        asyncio.run(ask())


@pytest.mark.parametrize("reason", ["time", "reader"])
def test_a_solve_ends_with_its_time_and_with_its_reader(reason):
    """The work would go on for ever; its place is given back."""
    ticket, sent, closed, begun = Ticket(), [], [], threading.Event()

    def work(tell):
        begun.set()
        while True:
            ticket.check()

    async def receive():
        while reason == "time" or not begun.is_set():
            await asyncio.sleep(0.001)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message.get("body", b""))

    async def answer():
        place = AsyncExitStack()
        place.callback(closed.append, True)
        await Stream(work, ticket, 0.01 if reason == "time" else 3600.0, place)({}, receive, send)

    asyncio.run(answer())
    line = json.loads(b"".join(sent))
    assert closed == [True]
    assert ("expected a result within" in line["error"]) if reason == "time" else line == {"cancelled": True}
