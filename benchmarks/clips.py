"""Frames a second of `trimatte sequence`, its memory, and whether a killed run gives the same frames.

    python benchmarks/clips.py [--frames 240] [--height 1080] [--width 1920] [--output FILE]

A rendered head of hair moves through a rendered picture, or before a green screen. The paths are
the key, masks, and trimaps, each to ProRes 4444. The largest sum of the resident memory of the
command and its workers is read from /proc ten times a second; it should not grow with the number of
frames. The processor time of a frame hardly depends on what else runs on the machine. At last a run
that writes pictures is killed (SIGKILL) and started again (`--killed`). What `--output` holds of
other paths stays in it, so that the paths can be measured one by one.
"""

import argparse
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

import trimatte as tm

RATE = Fraction(24)
PATHS = {
    "key": ("green.mp4", "--key", "auto"),
    "masks": ("shot.mp4", "--masks", "masks.mp4"),
    "masks, no network": ("shot.mp4", "--masks", "masks.mp4", "--no-learn"),
    "trimaps": ("shot.mp4", "trimaps.mp4"),
}


class Writer:
    """A clip of H.264."""

    def __init__(self, path, height, width):
        self._file = av.open(str(path), "w")
        self._video = self._file.add_stream("libx264", rate=RATE, options={"crf": "14", "preset": "veryfast"})
        self._video.height, self._video.width, self._video.pix_fmt = height, width, "yuv420p"
        self._count = 0

    def write(self, pixels):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = self._count, 1 / RATE
        self._count += 1
        self._file.mux(self._video.encode(frame))

    def close(self):
        self._file.mux(self._video.encode(None))
        self._file.close()


def render(folder, count, height, width):
    """Write the clips; the subject goes once from side to side."""
    scene = tm.datasets.hair(height * 3 // 4, width // 2, noise=0.0)
    own_height, own_width = scene.alpha.shape
    behind = {"shot": tm.datasets.net(height, width).background, "green": np.float32((0.1, 0.65, 0.2))}
    writers = {name: Writer(folder / f"{name}.mp4", height, width) for name in (*behind, "masks", "trimaps")}
    rng = np.random.default_rng(0)
    for number in range(count):
        left = round(number / max(1, count - 1) * (width - own_width))
        place = np.s_[height - own_height :, left : left + own_width]
        alpha, trimap = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
        front = np.zeros((height, width, 3), np.float32)
        alpha[place], trimap[place], front[place] = scene.alpha, scene.trimap, scene.foreground
        noise = rng.normal(0, 0.006, front.shape).astype(np.float32)
        for name, back in behind.items():
            picture = alpha[..., None] * front + (1 - alpha[..., None]) * back + noise
            writers[name].write(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        writers["masks"].write(np.repeat(np.uint8(255) * (alpha > 0.5)[..., None], 3, axis=2))
        writers["trimaps"].write(np.repeat(trimap[..., None], 3, axis=2))
    for writer in writers.values():
        writer.close()


def children(parent):
    """The processes below one, and itself."""
    found = [parent]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def resident(pid):
    """The resident bytes of a process and those below it; 0 once it has gone."""
    total = 0
    for each in children(pid):
        try:
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def cpu_seconds():
    """The processor time of all commands that have ended, with their workers."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def command(folder, *arguments):
    """Start the command. Its record goes to a file, since a pipe would be full after some 200 frames."""
    with open(folder / "record.json", "w") as record:
        return subprocess.Popen(
            [sys.executable, "-m", "trimatte", "sequence", *arguments, "--json"],
            cwd=folder,
            stdout=record,
            start_new_session=True,
        )


def record_of(process, folder):
    process.wait()
    return json.loads((folder / "record.json").read_text())


def measured(folder, arguments, output):
    """Seconds, and the peaks of memory in the first and in the second half of a run."""
    start, peaks, used = time.perf_counter(), [], cpu_seconds()
    process = command(folder, *arguments, "-o", output)
    while process.poll() is None:
        try:
            peaks.append((time.perf_counter() - start, resident(process.pid)))
        except OSError:
            break
        time.sleep(0.1)
    record = record_of(process, folder)
    seconds = time.perf_counter() - start
    halves = [[b for at, b in peaks if (at > seconds / 2) == second] for second in (False, True)]
    return {
        "frames": len(record["frames"]),
        "seconds": round(seconds, 1),
        "frames_per_second": round(len(record["frames"]) / seconds, 3),
        "cpu_seconds_per_frame": round((cpu_seconds() - used) / len(record["frames"]), 2),
        "peak_megabytes": [round(max(half, default=0) / 1e6) for half in halves],
    }


def alone(folder, paths):
    """Processor seconds of one frame of each path, on one thread, without reading and encoding."""
    shot, green, masks, trimaps = (
        next(iter(tm.io.open_clip(folder / f"{name}.mp4"))) for name in ("shot", "green", "masks", "trimaps")
    )
    mask, trimap = masks[..., 1], trimaps[..., 1]

    def from_mask(learn):
        tm.estimate_foreground(shot, tm.matte_from_mask(shot, mask, learn=learn, threads=1), threads=1)

    calls = {
        "key": lambda: tm.matte_from_key(green, threads=1),
        "masks": lambda: from_mask(True),
        "masks, no network": lambda: from_mask(False),
        "trimaps": lambda: tm.cutout(shot, trimap, threads=1),
    }
    found = {}
    for name in paths:
        start = time.process_time()
        calls[name]()
        found[name] = round(time.process_time() - start, 2)
    return found


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("*.png"))}


def killed_and_resumed(folder, path):
    """Kill a run when a third of its frames are there, run again, and compare with a run of one piece."""
    arguments = PATHS[path]
    total = sum(1 for _ in tm.io.open_clip(folder / arguments[0]).frames(lambda _: False))
    process = command(folder, *arguments, "-o", "parts/%04d.png")
    while process.poll() is None and len(list((folder / "parts").glob("*.png"))) < total // 3:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = len(list((folder / "parts").glob("*.png")))
    again = record_of(command(folder, *arguments, "-o", "parts/%04d.png"), folder)
    record_of(command(folder, *arguments, "-o", "whole/%04d.png"), folder)
    parts, whole = digests(folder / "parts"), digests(folder / "whole")
    different = sorted(name for name in {*parts, *whole} if parts.get(name) != whole.get(name))
    return {
        "path": path,
        "frames": total,
        "there_when_killed": kept,
        "skipped_by_the_second_run": again["skipped"],
        "different": different,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--paths", nargs="*", default=list(PATHS), choices=list(PATHS))
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "compare" / "results" / "clips.json"
    )
    parser.add_argument("--alone", action="store_true", help="measure single frames only, and no clips")
    parser.add_argument("--killed", default="trimaps", choices=[*PATHS, "none"])
    chosen = parser.parse_args()
    size = {"height": chosen.height, "width": chosen.width}
    found = json.loads(chosen.output.read_text()) if chosen.output.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        render(folder, chosen.frames, chosen.height, chosen.width)
        found["cpu_seconds_of_a_frame"] = found.get("cpu_seconds_of_a_frame", {}) | alone(folder, chosen.paths)
        print(found["cpu_seconds_of_a_frame"], flush=True)
        for path in chosen.paths if not chosen.alone else ():
            row = {"date": str(date.today()), "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}
            row |= size | measured(folder, PATHS[path], "out.mov")
            found.setdefault("paths", {})[path] = row
            print(path, row, flush=True)
            chosen.output.write_text(json.dumps(found, indent=1) + "\n")
        if chosen.killed != "none":
            found["killed"] = size | killed_and_resumed(folder, chosen.killed)
            print(found["killed"], flush=True)
    chosen.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
