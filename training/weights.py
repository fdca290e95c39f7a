"""The file of weights that the package ships, with a record of how they were made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from network import DILATIONS, Network
from torch import nn

from trimatte.priors.fusion import MAPS_VERSION


def write_weights(network: Network, record: Mapping[str, Any], file: Path) -> None:
    """Write the weights of a network as numbers of 16 bits.

    Parameters
    ----------
    network : Network
        The trained network.
    record : mapping of str to value
        How it was made.
    file : Path
        The file to write.
    """
    layers: list[nn.Conv2d] = [network.first, *network.middle, network.last]
    arrays = {}
    for number, layer in enumerate(layers):
        weight = layer.weight.detach().numpy()
        outputs, inputs = weight.shape[:2]
        # From (outputs, inputs, 3, 3) to (taps, inputs, outputs).
        arrays[f"W{number}"] = weight.reshape(outputs, inputs, -1).transpose(2, 1, 0).astype(np.float16)
        arrays[f"b{number}"] = layer.bias.detach().numpy().astype(np.float16)
    about = {"maps_version": MAPS_VERSION, "dilations": [1, *DILATIONS, 1], **record}
    np.savez_compressed(file, record=json.dumps(about), **arrays)
