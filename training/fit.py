"""Fitting a network to scenes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from network import Network
from tasks import Course, Layout, Task
from torch import Tensor

CROP = 80
BATCH = 12
WARM_UP = 0.05
"""Part of the steps in which the rate rises; then it falls as a cosine."""
OVERSHOOT = 0.1
"""Weight of what lies beyond 0 and 1."""


class Example(NamedTuple):
    """A scene to train on."""

    maps: npt.NDArray[np.float16]
    truth: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    weight: float


def load(files: Sequence[Path], task: Task) -> list[Example]:
    """Load the scenes that are good for training."""
    examples = []
    for file in files:
        with np.load(file) as scene:
            record = json.loads(str(scene["record"]))
            if record["unknown"] < 500 or record["error"] > task.hardest:
                continue
            weight = (2.5 if record["textured"] else 1.0) / (record["error"] + 0.02)
            places = np.argwhere(scene["trimap"] == 128)
            examples.append(Example(scene["maps"], scene["truth"], places, weight))
    return examples


def batch_of(
    random: np.random.Generator, examples: Sequence[Example], weights: npt.NDArray[np.float64], layout: Layout
) -> tuple[Tensor, Tensor]:
    """Draw crops around unknown pixels; turn, mirror and recolour them at random."""
    maps = np.zeros((BATCH, layout.maps, CROP, CROP), np.float32)
    truth = np.zeros((BATCH, CROP, CROP), np.float32)
    for i, number in enumerate(random.choice(len(examples), BATCH, p=weights)):
        example = examples[number]
        y, x = example.places[random.integers(len(example.places))]
        height, width = example.truth.shape
        top = int(np.clip(y - random.integers(CROP), 0, max(0, height - CROP)))
        left = int(np.clip(x - random.integers(CROP), 0, max(0, width - CROP)))
        cut = np.s_[..., top : top + CROP, left : left + CROP]
        m, t = example.maps[cut].astype(np.float32), example.truth[cut]
        turns = int(random.integers(4))
        m, t = np.rot90(m, turns, (1, 2)), np.rot90(t, turns)
        if random.random() < 0.5:
            m, t = m[..., ::-1], t[..., ::-1]
        if random.random() < 0.5:
            order = random.permutation(3)
            triples = [m[first : first + 3][order] for first in range(0, layout.colours, 3)]
            m = np.concatenate([*triples, m[layout.colours :]])
        maps[i, :, : m.shape[1], : m.shape[2]] = m
        truth[i, : t.shape[0], : t.shape[1]] = t
    return torch.from_numpy(maps).contiguous(memory_format=torch.channels_last), torch.from_numpy(truth)


def loss_of(network: Network, maps: Tensor, truth: Tensor, course: Course, layout: Layout) -> Tensor:
    """Return the mean absolute and squared error of alpha, and that of its slope, over the unknown pixels.

    Some of what lies beyond [0, 1] is added, since the clipped alpha has no gradient there.
    """
    with torch.autocast("cpu", dtype=torch.bfloat16):  # half the time of float32
        correction = network(maps)
    alpha = (maps[:, layout.refined] + 1) / 2 + correction.float()
    inside = alpha.clamp(0, 1)
    difference = inside - truth
    unknown = maps[:, layout.unknown]
    error = difference.abs() + course.square * difference**2 + OVERSHOOT * (alpha - inside).abs()
    error = (error * unknown).sum()
    for axis in (1, 2):
        both = unknown.narrow(axis, 1, CROP - 1) * unknown.narrow(axis, 0, CROP - 1)
        error = error + course.slope / 2 * (difference.diff(dim=axis).abs() * both).sum()
    return error / unknown.sum()


def fit(
    examples: Sequence[Example],
    course: Course,
    layout: Layout,
    seed: int,
    folder: Path,
    start: Network | None = None,
) -> Network:
    """Train a network; it is saved in the folder every 500 steps.

    Parameters
    ----------
    examples : sequence of Example
        What to train on.
    course : Course
        How long and by which loss.
    layout : Layout
        Which maps are what.
    seed : int
        The same seed gives the same bits on one machine.
    folder : Path
        Where the state of the network is saved.
    start : Network, optional
        The network to begin with, which stays as it is; by default one with random weights.

    Returns
    -------
    Network
    """
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    random = np.random.default_rng((seed, 1))
    weights = np.array([example.weight for example in examples])
    weights /= weights.sum()
    network = Network(layout.maps) if start is None else deepcopy(start)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=course.rate, weight_decay=1e-4)

    def rate(step: int) -> float:
        warm = WARM_UP * course.steps
        return step / warm if step < warm else 0.5 + 0.5 * np.cos(np.pi * (step - warm) / (course.steps - warm))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    begin, total = time.monotonic(), 0.0
    for step in range(1, course.steps + 1):
        loss = loss_of(network, *batch_of(random, examples, weights, layout), course, layout)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 500 == 0:
            print(f"step {step}: loss {total / 500:.4f}, {time.monotonic() - begin:.0f} s", flush=True)
            torch.save(network.state_dict(), folder / "network.pt")
            total = 0.0
    return network


def mean_of(one: Network, other: Network) -> Network:
    """Return the network whose weights are the means of two networks' weights."""
    mean = deepcopy(one)
    weights = other.state_dict()
    mean.load_state_dict({name: 0.5 * value + 0.5 * weights[name] for name, value in one.state_dict().items()})
    return mean
