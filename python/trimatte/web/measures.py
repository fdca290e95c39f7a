"""The numbers of the service, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class Measures:
    """Counters of one service.

    Attributes
    ----------
    requests : Counter
        Requests that were answered, by path and status; 499 means that the client went away.
    seconds : Histogram
        Seconds from a request's head to the end of its answer, by path.
    deaths : Counter
        Worker processes that died at work.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "trimatte_requests", "Requests that were answered", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "trimatte_request_seconds",
            "Seconds of a request",
            ["path"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.deaths = Counter(
            "trimatte_worker_deaths", "Worker processes that died at work", registry=self._registry
        )

    def watch(self, state: Callable[[], dict[str, int]]) -> None:
        """Publish the numbers that a function returns when somebody asks."""
        texts = {
            "inside": "Requests that wait or are worked on",
            "waiting": "Requests that wait for a worker",
            "memory": "Bytes that are estimated for the work that runs",
            "alive": "Worker processes that are ready or at work",
        }
        for name, text in texts.items():
            gauge = Gauge(f"trimatte_{name}", text, registry=self._registry)
            gauge.set_function(lambda name=name: state()[name])  # type: ignore[misc]

    def text(self) -> bytes:
        """Return all numbers in Prometheus' text format."""
        return generate_latest(self._registry)
