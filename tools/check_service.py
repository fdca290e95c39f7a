"""Fuzzes `trimatte serve`: requests that its OpenAPI document describes, and broken pictures.

    python tools/check_service.py --requests 10000 --examples 200

Schemathesis generates requests from /openapi.json, right and wrong ones, and checks the answers
against the document; `--examples` is how many it makes for each operation. Broken pictures are
files of every format with bytes changed, cut off, repeated or inserted; they make up the rest of
`--requests`. The service must not answer 500, lose a worker, hang, or keep memory or files.
"""

import argparse
import asyncio
import collections
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import http_client

# The service itself gives a request up after two minutes.
SECONDS_OF_AN_ANSWER = 180.0
# Memory that the processes may gain after the first tenth of the broken pictures.
MOST_GROWTH = 60e6
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "unsupported_method,allow_header_conformance"
)


def samples():
    """A small picture and its trimap as files of every format, and their names."""
    import numpy as np

    import trimatte as tm
    from trimatte.io.write import Output, encoded

    scene = tm.datasets.hair(48, 64, noise=0.01)
    image = np.round(scene.image * 255).astype(np.uint8)
    deep = (scene.image * 65535).astype(np.uint16)
    files = {name: encoded(Output(f"x.{name}", image)) for name in ("png", "jpg", "webp", "tif", "bmp")}
    files["16-bit png"] = encoded(Output("x.png", deep))
    try:
        files["exr"] = encoded(Output("x.exr", scene.image.astype(np.float32)))
        files["16-bit tif"] = encoded(Output("x.tif", deep))
    except tm.PictureError:
        print("OpenImageIO is not installed: EXR and 16-bit TIFF are left out")
    guides = {"trimap": encoded(Output("t.png", scene.trimap))}
    guides["mask"] = encoded(Output("m.png", np.round(scene.alpha * 255).astype(np.uint8)))
    return list(files.values()), guides


def broken(content, draw):
    """Return a file with something changed."""
    made = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(made))
        way = draw.randrange(5)
        if way == 0:
            made[place] = draw.randrange(256)
        elif way == 1:
            made[place] ^= 1 << draw.randrange(8)
        elif way == 2:
            del made[place : place + draw.randrange(1, 40)]
        elif way == 3:
            made[place:place] = draw.randbytes(draw.randrange(1, 40))
        elif draw.random() < 0.2:
            del made[max(1, place) :]
        else:  # numbers in the head are what sizes come from
            made[min(place, 60)] = draw.choice((0, 1, 127, 128, 255))
        if not made:
            return b"\0"
    return bytes(made)


def request(draw, files, guides):
    """Return the path and the form of a request with a broken picture."""
    picture = broken(draw.choice(files), draw)
    name = draw.choice(("trimap", "mask"))
    guide = guides[name] if draw.random() < 0.7 else broken(guides[name], draw)
    path, field = draw.choice((("/v1/matte", "image"), ("/api/remove", "file"), ("/v1.0/removebg", "image_file")))
    form = [(field, picture), (name, guide)]
    if path == "/v1/matte" and draw.random() < 0.3:
        form.append(("what", draw.choice(("alpha", "foreground", "all"))))
    return path, form


async def send_broken(port, count, seed, after_tenth):
    """Send requests with broken pictures, eight at a time, and return how often each status came."""
    files, guides = samples()
    draw, statuses, left = random.Random(seed), collections.Counter(), [count]

    async def client():
        while left[0] > 0:
            left[0] -= 1
            if left[0] == count * 9 // 10:
                after_tenth()
            path, form = request(draw, files, guides)
            asked = http_client.post("127.0.0.1", port, path, form)
            try:
                status, _, _ = await asyncio.wait_for(asked, SECONDS_OF_AN_ANSWER)
            except (OSError, IndexError, asyncio.TimeoutError) as error:
                status = type(error).__name__
            statuses[status] += 1

    await asyncio.gather(*(client() for _ in range(8)))
    return statuses


def fuzz_by_document(port, examples, seed, folder):
    """Run schemathesis and return whether it found nothing.

    Schemathesis 4.32.5 fails by an error of its own (Unsupported type: 'Binary') where it makes wrong
    forms for remove.bg's path, so that this path gets right ones here. Broken pictures go to it, too.
    """
    code = "import sys; from schemathesis.cli import schemathesis; schemathesis(sys.argv[1:])"
    arguments = ["run", f"http://127.0.0.1:{port}/openapi.json", "-c", CHECKS, "-n", str(examples)]
    arguments += ["--phases", "fuzzing", "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all"]
    arguments += ["--seed", str(seed)]
    passed = True
    for chosen in (
        ("--mode", "all", "--exclude-path", "/v1.0/removebg"),
        ("--mode", "positive", "--include-path", "/v1.0/removebg"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments, *chosen],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout[-6000:] if done.returncode else f"schemathesis, {' '.join(chosen)}: no failure")
        passed = passed and done.returncode == 0
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults, memory = [], []
    with tempfile.TemporaryDirectory() as folder, http_client.service(folder, "--workers", "2") as (process, port):
        start = time.perf_counter()
        if options.examples and not fuzz_by_document(port, options.examples, options.seed, folder):
            faults.append("schemathesis has found a failure")
        by_document = sum(1 for _ in http_client.requests_in(folder))
        print(f"{by_document} requests by the document in {time.perf_counter() - start:.0f} s")
        start = time.perf_counter()
        count = max(100, options.requests - by_document)
        sent = send_broken(port, count, options.seed, lambda: memory.append(http_client.memory_of(process.pid)))
        statuses = asyncio.run(sent)
        memory.append(http_client.memory_of(process.pid))
        seconds = time.perf_counter() - start
        print(f"{count} broken pictures in {seconds:.0f} s: {dict(statuses)}")
        print(f"memory after a tenth and at the end: {memory[0] / 1e6:.0f} and {memory[1] / 1e6:.0f} MB")
        state = json.loads(asyncio.run(http_client.get("127.0.0.1", port, "/health"))[2])
        metrics = asyncio.run(http_client.get("127.0.0.1", port, "/metrics"))[2].decode()
        deaths = float(re.search(r"^trimatte_worker_deaths_total (\S+)", metrics, re.MULTILINE)[1])
        process.send_signal(signal.SIGTERM)
        code = process.wait(SECONDS_OF_AN_ANSWER)
        every = collections.Counter(line["status"] for line in http_client.requests_in(folder))
        faults += [f"status {status}: {number} times" for status, number in every.items() if status >= 499]
        faults += [f"{status}: {number} times" for status, number in statuses.items() if isinstance(status, str)]
        if memory[1] - memory[0] > MOST_GROWTH:
            faults.append(f"memory has grown by {(memory[1] - memory[0]) / 1e6:.0f} MB")
        if state["inside"] or state["alive"] != 2 or deaths:
            faults.append(f"expected 2 workers and nothing to do, got {state} and {deaths:g} deaths")
        if code:
            faults.append(f"expected exit code 0 after SIGTERM, got {code}")
        left = os.listdir(os.path.join(folder, "tmp"))
        if left:
            faults.append(f"files are left behind: {left[:3]}")
        print(f"{sum(every.values())} requests in all: {dict(sorted(every.items()))}")
    for fault in faults:
        print(f"fault: {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
