"""What the operator of the service decides; no request can change it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .._runtime.memory import available_memory
from .._runtime.threads import usable_cpus
from .caller import LOOPBACK
from .rough import Model

# Part of the memory that is available at the start which requests may take together.
_SHARE_OF_MEMORY = 0.8


@dataclass(frozen=True)
class Settings:
    """Limits and permissions of the service.

    Attributes
    ----------
    workers : int
        Processes that solve, at least 1; 0 stands for one per usable core.
    queue : int
        Requests that may wait for a worker; further ones are answered with 429.
    body_bytes : int
        The most bytes of a request's body, and of a picture that is fetched or encoded in base64.
    pixels : int
        The most pixels of a picture.
    seconds : float
        Seconds after which a request is given up: once for its body, once for the wait and the
        solve.
    memory : int
        Bytes that the solves side by side may take, by an estimate; 0 stands for four fifths of
        what is available at the start.
    api_key : str or None
        What requests have to show in X-Api-Key, or as bearer token in Authorization.
    hosts : tuple of str
        Names by which requests may call the service (their header Host); empty means any.
    origins : tuple of str
        Other web pages that may use the service, such as "https://shop.example".
    paintings : int
        Pictures that the page to paint on keeps open; the one that was not used for the longest time
        goes first. With 0 a service has no such page.
    fetch : bool
        Whether pictures are fetched from URLs in requests.
    model : str or None
        The segmentation network for requests without trimap or mask; see `trimatte.models.load`.
    preset : str or None
        What the network is given.
    """

    workers: int = 0
    queue: int = 256
    body_bytes: int = 50_000_000
    pixels: int = 50_000_000
    seconds: float = 120.0
    memory: int = 0
    api_key: str | None = None
    hosts: tuple[str, ...] = LOOPBACK
    origins: tuple[str, ...] = ()
    paintings: int = 16
    fetch: bool = False
    model: str | None = None
    preset: str | None = None

    def __post_init__(self) -> None:
        for name, least in (
            ("workers", 0),
            ("queue", 0),
            ("body_bytes", 1),
            ("pixels", 1),
            ("memory", 0),
            ("paintings", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected at least {least}, got {getattr(self, name)}")
        if not self.seconds > 0:
            raise ValueError(f"seconds: expected a number above 0, got {self.seconds}")
        if self.workers == 0:
            object.__setattr__(self, "workers", usable_cpus())
        if self.memory == 0:
            object.__setattr__(self, "memory", int(_SHARE_OF_MEMORY * available_memory()))

    @property
    def network(self) -> Model | None:
        """The segmentation network; all workers together have a thread for each usable core."""
        if self.model is None:
            return None
        return Model(self.model, self.preset, max(1, usable_cpus() // self.workers))


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that variables such as TRIMATTE_WORKERS ask for.

    A list, as of TRIMATTE_HOSTS, is separated by commas; TRIMATTE_HOSTS=* means any.

    Raises
    ------
    ValueError
        If a variable has no such value.
    """
    given: dict[str, Any] = {}
    for field in fields(Settings):
        text = environment.get(f"TRIMATTE_{field.name.upper()}", "")
        if text:
            given[field.name] = _value(f"TRIMATTE_{field.name.upper()}", text, field.default)
    return Settings(**given)


def _value(name: str, text: str, default: object) -> Any:
    if isinstance(default, bool):
        if text.lower() not in ("0", "1", "false", "true"):
            raise ValueError(f"{name}: expected 0 or 1, got {text!r}")
        return text.lower() in ("1", "true")
    if isinstance(default, tuple):
        return () if text == "*" else tuple(part.strip() for part in text.split(","))
    if isinstance(default, (int, float)):
        try:
            return type(default)(text)
        except ValueError:
            raise ValueError(f"{name}: expected a number, got {text!r}") from None
    return text
