"""The fusion network in PyTorch: what `cpp/src/prior/fusion.cpp` computes, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHANNELS = 32
DILATIONS = (1, 2, 4, 8, 2, 1)


class Network(nn.Module):
    """Residual 3 x 3 convolutions from the maps to a correction of alpha."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(maps, CHANNELS, 3, padding=1)
        self.middle = nn.ModuleList(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=dilation, dilation=dilation) for dilation in DILATIONS
        )
        self.last = nn.Conv2d(CHANNELS, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the correction, (N, H, W), of maps (N, maps, H, W)."""
        h = torch.relu(self.first(maps))
        for layer in self.middle:
            h = h + torch.relu(layer(h)) / 2
        return self.last(h)[:, 0]
