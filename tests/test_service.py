"""POST /v1/matte: what it answers is what the library gives; bad requests get a sentence."""

import io
import os
import signal
import socket
import threading
import zipfile

import numpy as np
import pytest
from service_client import BOUNDARY, file_of, multipart, pixels_of, slow_fields, whole_request

import trimatte as tm


class TestMatte:
    def test_a_trimap_gives_the_librarys_cutout(self, client, guided):
        arrays, files = guided
        answer = client.post("/v1/matte", image=files["image"], trimap=files["trimap"])
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
        assert (pixels_of(answer.body) == tm.cutout(arrays["image"], arrays["trimap"])).all()

    def test_a_mask_gives_the_librarys_alpha(self, client, guided):
        arrays, files = guided
        answer = client.post("/v1/matte", image=files["image"], mask=files["mask"], what="alpha", band="6")
        alpha = tm.matte_from_mask(arrays["image"], arrays["mask"], band=6)
        assert (pixels_of(answer.body) == np.round(alpha * 255)).all()

    def test_scribbles_give_the_librarys_alpha(self, client, guided):
        arrays, files = guided
        answer = client.post("/v1/matte", image=files["image"], scribbles=files["scribbles"], what="alpha")
        trimap = tm.trimap_from_scribbles(arrays["image"], arrays["scribbles"])
        assert (pixels_of(answer.body) == np.round(tm.estimate_alpha(arrays["image"], trimap) * 255)).all()

    def test_a_key_gives_the_librarys_foreground(self, client, guided):
        arrays, files = guided
        answer = client.post("/v1/matte", image=files["screen"], key="auto", what="foreground")
        expected = tm.matte_from_key(arrays["screen"]).foreground
        assert abs(pixels_of(answer.body).astype(int) - np.round(expected * 255)).max() <= 1

    def test_options_reach_the_solve(self, client, guided):
        arrays, files = guided
        given = {"method": "sampling", "seed": "3", "what": "alpha"}
        answer = client.post("/v1/matte", image=files["image"], trimap=files["trimap"], **given)
        alpha = tm.estimate_alpha(arrays["image"], arrays["trimap"], method="sampling", seed=3)
        assert (pixels_of(answer.body) == np.round(alpha * 255)).all()

    def test_all_is_an_archive_of_three(self, client, files):
        answer = client.post("/v1/matte", image=files["image"], trimap=files["trimap"], what="all", bits="16")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            made = {name: pixels_of(archive.read(name)) for name in archive.namelist()}
        assert {name: (array.shape, array.dtype.name) for name, array in made.items()} == {
            "cutout.png": ((48, 64, 4), "uint16"),
            "alpha.png": ((48, 64), "uint16"),
            "foreground.png": ((48, 64, 3), "uint16"),
        }

    def test_webp_is_webp(self, client, files):
        answer = client.post("/v1/matte", image=files["image"], trimap=files["trimap"], format="webp")
        assert answer.headers["content-type"] == "image/webp"
        assert answer.body[8:12] == b"WEBP"

    def test_warnings_are_in_a_header(self, client, files):
        known = file_of(np.full((48, 64), 255, np.uint8))
        answer = client.post("/v1/matte", image=files["image"], trimap=known)
        assert answer.status == 200
        assert answer.headers["x-trimatte-warnings"].startswith("trimap: ")

    def test_equal_requests_get_equal_bytes(self, client, files):
        fields = {"image": files["image"], "trimap": files["trimap"], "what": "all"}
        assert client.post("/v1/matte", **fields).body == client.post("/v1/matte", **fields).body


IMAGE, TRIMAP = object(), object()
REFUSED = {
    "no field": ({}, 400, "image: expected a picture file, got none"),
    "no guide": ({"image": IMAGE}, 400, "trimap: expected one of trimap, mask, scribbles, key, got none"),
    "two guides": ({"image": IMAGE, "trimap": TRIMAP, "mask": TRIMAP}, 400, "got trimap and mask"),
    "text for a file": ({"image": IMAGE, "trimap": "/etc/passwd"}, 400, "trimap: expected a file, got text"),
    "unknown field": ({"image": IMAGE, "trimap": TRIMAP, "methd": "knn"}, 400, "'methd': expected fields of"),
    "unknown method": ({"image": IMAGE, "trimap": TRIMAP, "method": "magic"}, 400, "method: expected one of"),
    "no number": ({"image": IMAGE, "trimap": TRIMAP, "tolerance": "x"}, 400, "tolerance: expected a number"),
    "infinite": ({"image": IMAGE, "trimap": TRIMAP, "known_weight": "inf"}, 400, "known_weight: expected"),
    "out of range": (
        {"image": IMAGE, "trimap": TRIMAP, "seed": "-1"},
        400,
        "seed: expected a whole number from 0",
    ),
    "no choice": ({"image": IMAGE, "trimap": TRIMAP, "what": "soup"}, 400, "what: expected one of cutout"),
    "of a mask": ({"image": IMAGE, "trimap": TRIMAP, "band": "3"}, 400, "band: expected it with mask only"),
    "no colour": ({"image": IMAGE, "key": "no-colour"}, 400, "key"),
    "no picture": ({"image": b"hello", "trimap": TRIMAP}, 400, "image: not a picture"),
    "empty file": ({"image": b"", "trimap": TRIMAP}, 400, "image: the file is empty"),
    "other size": ({"image": IMAGE, "trimap": file_of(np.zeros((9, 9), np.uint8))}, 400, "trimap: expected shape"),
    "no transparency": ({"image": IMAGE, "trimap": TRIMAP, "format": "jpg"}, 400, "JPEG has no transparency"),
    "an SVG": ({"image": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "trimap": TRIMAP}, 400, "an SVG drawing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_request_gets_a_sentence(client, files, case):
    fields, status, message = REFUSED[case]
    known = {id(IMAGE): files["image"], id(TRIMAP): files["trimap"]}
    answer = client.post("/v1/matte", **{name: known.get(id(value), value) for name, value in fields.items()})
    assert answer.status == status
    assert message in answer.error


def test_a_truncated_picture_is_refused(client, files):
    answer = client.post("/v1/matte", image=files["image"][:-500], trimap=files["trimap"])
    assert (answer.status, "truncated" in answer.error) == (400, True)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"image": "x"}', "application/json", 400),
        (b"hello", "text/plain", 415),
        (b"hello", "multipart/form-data", 400),
        (b"hello", f"multipart/form-data; boundary={BOUNDARY}", 400),
        (multipart([("image", b"a"), ("image", b"b")]), f"multipart/form-data; boundary={BOUNDARY}", 400),
        (multipart([(f"f{i}", "x") for i in range(99)]), f"multipart/form-data; boundary={BOUNDARY}", 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(client, body, kind, status):
    answer = client.send("POST", "/v1/matte", body, {"Content-Type": kind})
    assert answer.status == status
    assert answer.error


def test_other_paths_and_methods_are_refused(client):
    assert client.get("/v1/none").status == 404
    answer = client.get("/v1/matte")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_the_document_describes_what_is_taken(client):
    document = client.get("/openapi.json").json
    schema = document["paths"]["/v1/matte"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["image"]
    assert schema["properties"]["what"]["enum"] == ["cutout", "alpha", "foreground", "all"]
    assert schema["properties"]["epsilon"]["minimum"] > 0


def test_the_page_needs_no_network(client):
    answer = client.get("/docs")
    text = answer.body.decode()
    assert answer.status == 200
    assert "<script" not in text
    assert "//" not in text.replace(f"http://127.0.0.1:{client.port}/", "")
    for field in ("trimap", "see_through", "crop_margin", "bgc"):
        assert f"<code>{field}</code>" in text


def test_health_and_metrics(client, files):
    before = client.get("/metrics").body.decode()
    client.post("/v1/matte", image=files["image"])
    after = client.get("/metrics").body.decode()
    line = 'trimatte_requests_total{path="/v1/matte",status="400"}'

    def count(text):
        return float(text.partition(line)[2].split()[0]) if line in text else 0

    assert count(after) == count(before) + 1
    health = client.get("/health")
    assert (health.status, health.json["alive"], health.json["waiting"]) == (200, 1, 0)


@pytest.fixture(scope="module")
def slow():
    return slow_fields()


def kill(process):
    os.kill(process, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


class TestWorkers:
    """What becomes of requests whose worker dies, or whose client goes away."""

    @pytest.fixture
    def begun(self, client, monkeypatch):
        """Set when a worker has got its task."""
        from trimatte.web.workers import Worker

        event, submit = threading.Event(), Worker.submit

        def submitted(worker, task):
            future = submit(worker, task)
            event.set()
            return future

        monkeypatch.setattr(Worker, "submit", submitted)
        return event

    def test_a_killed_worker_costs_one_request(self, client, files, slow, begun):
        answers = []
        thread = threading.Thread(target=lambda: answers.append(client.post("/v1/matte", **slow)))
        thread.start()
        assert begun.wait(60)
        (process,) = client.service.desk.processes
        kill(process)
        thread.join(60)
        assert answers[0].status == 503
        assert answers[0].headers["retry-after"] == "1"
        assert client.post("/v1/matte", image=files["image"], trimap=files["trimap"]).status == 200
        assert client.service.desk.processes != [process]

    def test_a_worker_that_died_idle_costs_nothing(self, client, files):
        (process,) = client.service.desk.processes
        kill(process)
        (worker,) = client.service.desk._workers
        manager = worker._pool._executor_manager_thread
        manager.join(60)  # it has seen that the process is gone
        assert client.post("/v1/matte", image=files["image"], trimap=files["trimap"]).status == 200

    def test_a_client_that_goes_away_ends_its_solve(self, client, files, slow, begun):
        (process,) = client.service.desk.processes
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(whole_request(slow.items()))
            assert begun.wait(60)
        answer = client.post("/v1/matte", image=files["image"], trimap=files["trimap"])
        assert answer.status == 200
        assert process not in client.service.desk.processes
        assert client.service.desk.state()["inside"] == 0
