"""Measures `trimatte serve` under load, beside a batch on the same pictures.

    python benchmarks/service.py --clients 200 --seconds 60 --output benchmarks/compare/results/service.json

Pictures of four sizes are matted by `trimatte.batch.run`, then by a service that so many clients
ask without a pause, then by the batch again, and at last by a service with a short queue. A client
that gets 429 waits as long as Retry-After says. Half-way one worker is killed. The clients run on
the cores that the service has, too. The throughput counts in megapixels a second, since the clients
do not end with whole rounds of sizes.
"""

import argparse
import asyncio
import collections
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "compare"))

import http_client

SIZES = ((300, 400), (420, 600), (577, 866), (820, 1220))
KINDS = ("hair", "dandelion", "flower")


def render():
    """Write pictures of each size and kind with their trimaps, and return their names."""
    import numpy as np
    from PIL import Image

    import trimatte as tm

    names = []
    for kind in KINDS:
        for height, width in SIZES:
            scene = getattr(tm.datasets, kind)(height, width, noise=0.008)
            names.append(f"{kind}-{width}")
            Image.fromarray(np.round(scene.image * 255).astype(np.uint8)).save(f"in/{names[-1]}.jpg", quality=95)
            tm.io.save_image(f"tri/{names[-1]}.png", scene.trimap)
    return names


def batch(rounds, folder):
    """Return the megapixels a second of a batch that mattes all pictures so many times."""
    from trimatte.batch import Job, run

    Path(folder).mkdir()
    stems = [path.stem for path in sorted(Path("in").iterdir())]
    jobs = [
        Job(f"in/{stem}.jpg", {"cutout": f"{folder}/{stem}-{number}.png"}, f"tri/{stem}.png")
        for number in range(rounds)
        for stem in stems
    ]
    summary = run(jobs, log=f"{folder}/log.jsonl")
    assert summary.failed == 0, summary.failures
    megapixels = rounds * len(KINDS) * sum(height * width for height, width in SIZES) / 1e6
    return megapixels / summary.seconds


class Load:
    """What clients ask for, and what they get."""

    def __init__(self, port, names, seconds):
        self.port, self.seconds = port, seconds
        self.forms, heights = [], {width: height for height, width in SIZES}
        for name in names:
            files = Path(f"in/{name}.jpg").read_bytes(), Path(f"tri/{name}.png").read_bytes()
            width = int(name.split("-")[1])
            self.forms.append(([("image", files[0]), ("trimap", files[1])], heights[width], width))
        self.statuses = collections.Counter()
        self.times, self.served = [], collections.Counter()
        self.megapixels, self.wrong = 0.0, []

    async def client(self, number, end):
        turn = number
        while time.perf_counter() < end:
            fields, height, width = self.forms[turn % len(self.forms)]
            start = time.perf_counter()
            try:
                status, headers, body = await http_client.post("127.0.0.1", self.port, "/v1/matte", fields)
            except OSError as error:
                self.wrong.append(repr(error))
                continue
            self.statuses[status] += 1
            if status == 200:
                turn += 1
                self.served[number] += 1
                self.times.append(time.perf_counter() - start)
                if time.perf_counter() < end:
                    self.megapixels += height * width / 1e6
                if int.from_bytes(body[16:20], "big") != width or int.from_bytes(body[20:24], "big") != height:
                    self.wrong.append(f"a picture of another size than {width} x {height}")
            elif status == 429:
                await asyncio.sleep(min(int(headers["retry-after"]), max(0.0, end - time.perf_counter())))
            elif status != 503:
                self.wrong.append(f"{status}: {body[:200]!r}")

    async def run(self, clients, process):
        """Let all clients ask, kill a worker half-way, and return the memory at each tenth of the time."""
        end = time.perf_counter() + self.seconds
        asking = [asyncio.ensure_future(self.client(number, end)) for number in range(clients)]
        memory = []
        for tenth in range(10):
            await asyncio.sleep(self.seconds / 10)
            memory.append(http_client.memory_of(process.pid))
            if tenth == 4:
                os.kill(worker_of(process.pid), signal.SIGKILL)
        await asyncio.gather(*asking)
        return memory


def worker_of(number):
    """The process that works most below a service."""
    children = http_client.family(number) - {number}
    return max(children, key=lambda child: int(Path(f"/proc/{child}/statm").read_text().split()[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=8, help="rounds of the batch over all pictures")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    output = options.output and options.output.absolute()

    import machine

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("in", "tri"):
            Path(name).mkdir()
        names = render()
        before = batch(options.rounds, "before")
        load = measured(names, options.clients, options.seconds, [], f"{folder}/load")
        after = batch(options.rounds, "after")
        overload = measured(names, options.clients, options.seconds / 3, ["--queue", "32"], f"{folder}/overload")
        os.chdir(Path(__file__).parent)
    record = {
        "load_average": os.getloadavg(),
        "batch_megapixels_per_second": [before, after],
        "part_of_batch": load["megapixels_per_second"] / ((before + after) / 2),
        "load": load,
        "overload": overload,
    }
    print(json.dumps(record, indent=1))
    if output:
        output.write_text(json.dumps({"machine": machine.machine(), **record}, indent=1) + "\n")
    sys.exit(
        any(one["wrong"] or one["exit_code"] or one["statuses"].get("503", 0) > 1 for one in (load, overload))
    )


def measured(names, clients, seconds, arguments, folder):
    """Run a service under load, and return what came of it."""
    Path(folder).mkdir()
    with http_client.service(folder, *arguments) as (process, port):
        load = Load(port, names, seconds)
        memory = asyncio.run(load.run(clients, process))
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    served = [load.served[number] for number in range(clients)]
    return {
        "clients": clients,
        "seconds": seconds,
        "arguments": arguments,
        "megapixels_per_second": load.megapixels / seconds,
        "statuses": {str(status): number for status, number in sorted(load.statuses.items())},
        "served_of_a_client": {"least": min(served), "median": statistics.median(served), "most": max(served)},
        "seconds_of_an_answer": {
            "median": statistics.median(load.times),
            "95 %": sorted(load.times)[int(0.95 * len(load.times))],
            "most": max(load.times),
        },
        "memory_megabytes": [round(value / 1e6) for value in memory],
        "exit_code": code,
        "wrong": load.wrong[:10],
    }


if __name__ == "__main__":
    main()
