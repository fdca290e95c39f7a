"""The file of weights that the package ships, with a record of how they were made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from network import DILATIONS, Network
from torch import nn


def write_weights(networks: Sequence[Network], record: Mapping[str, Any], file: Path) -> None:
    """Write the weights of networks as numbers of 16 bits; the first axis of each array is the network.

    Parameters
    ----------
    networks : sequence of Network
        The trained networks.
    record : mapping of str to value
        How it was made.
    file : Path
        The file to write.
    """
    sequences: list[list[nn.Conv2d]] = [[network.first, *network.middle, network.last] for network in networks]
    arrays = {}
    for number, layers in enumerate(zip(*sequences, strict=True)):
        arrays[f"W{number}"] = np.stack([filters(layer) for layer in layers]).astype(np.float16)
        arrays[f"b{number}"] = np.stack([layer.bias.detach().numpy() for layer in layers]).astype(np.float16)
    about = {"dilations": [1, *DILATIONS, 1], **record}
    np.savez_compressed(file, record=json.dumps(about), **arrays)


def filters(layer: nn.Conv2d) -> npt.NDArray[np.float32]:
    """Return the weights of a layer, from (outputs, inputs, 3, 3) to (taps, inputs, outputs)."""
    weight = layer.weight.detach().numpy()
    return weight.reshape(*weight.shape[:2], -1).transpose(2, 1, 0)
