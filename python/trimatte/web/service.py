"""What all APIs of the service share: a request's way from its body to a worker and back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ..batch._cost import bytes_for, unknown_pixels
from ..errors import TrimatteError
from ..io.picture import TooLargeError
from ..io.read import pixel_count
from .errors import Refused
from .fetch import Fetcher
from .form import Form, read_form, while_wanted
from .measures import Measures
from .rough import NO_GUIDE
from .settings import Settings
from .task import Answer, File, Task
from .workers import Desk

# Bodies that are read at a time. They lie on the disk, or in memory up to a megabyte each.
_MOST_READERS = 256


class Order(NamedTuple):
    """A task whose pictures are still in the form.

    Attributes
    ----------
    task : Task
        The task, without files.
    form : Form
        The form.
    names : dict of str to str
        The form's field for each of the task's files.
    """

    task: Task
    form: Form
    names: Mapping[str, str]

    def made(self) -> Task:
        """Return the task with its files."""
        return replace(self.task, files={own: self.form.content(name) for own, name in self.names.items()})


class Service:
    """One service: its settings, workers and numbers.

    Parameters
    ----------
    settings : Settings
        Limits and permissions.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.measures = Measures()
        self.desk = Desk(settings, self.measures)
        self.measures.watch(self.desk.state)
        self.fetcher = Fetcher(settings.body_bytes, min(30.0, settings.seconds)) if settings.fetch else None
        self._readers = 0

    async def form(self, request: Request, files: Iterable[str]) -> Form:
        """Read the form of a request, unless there is no place for it."""
        self.desk.refuse_if_full()
        if self._readers >= _MOST_READERS:
            message = f"too many requests: expected at most {_MOST_READERS} that send their pictures at a time"
            raise Refused(429, "rate_limit_exceeded", message, 1)
        self._readers += 1
        try:
            return await read_form(request, self.settings.body_bytes, self.settings.seconds, files)
        finally:
            self._readers -= 1

    async def fetched(self, form: Form, name: str, url: str) -> None:
        """Put what a URL holds into a form."""
        if self.fetcher is None:
            message = f"{name}: expected a file, got a URL; this service fetches none (trimatte serve --fetch)"
            raise Refused(400, f"invalid_{name}", message)
        self.desk.refuse_if_full()
        form.keep(name, await self.fetcher.fetch(url))

    def refuse_without_guide(self, form: Form) -> None:
        """Raise Refused if a photograph comes without mask and trimap, and there is no model."""
        if {"mask", "trimap"} <= form.files.keys():
            raise Refused(400, "bad_input", "mask: expected a mask or a trimap, got both")
        if not {"mask", "trimap"} & form.files.keys() and self.settings.model is None:
            raise Refused(400, "no_guide", NO_GUIDE)

    async def answer(self, request: Request, order: Order) -> Answer:
        """Let a worker do what a request asks for, as long as the client waits for it."""
        try:
            return await while_wanted(request, self._answered(order), self.settings.seconds)
        finally:
            order.form.close()

    async def _answered(self, order: Order) -> Answer:
        cost = await asyncio.to_thread(self._cost, order)
        return await self.desk.do(order.made, cost)

    def _cost(self, order: Order) -> int:
        """Estimate the memory, in bytes, that a task takes; refuse pictures that are too large."""
        task, settings = order.made(), self.settings
        try:
            pixels, floats = self._sizes(task)
            unknown = pixels if task.refine else 0
            options = {**task.options, **task.settings}
            cost = bytes_for(pixels, floats, unknown, options)
            if cost * settings.workers > settings.memory and {"trimap", "mask"} & task.files.keys():
                trimap, mask = (
                    File(task.files[name], name) if name in task.files else None for name in ("trimap", "mask")
                )
                cost = bytes_for(pixels, floats, unknown_pixels(trimap, mask, options), options)
        except TooLargeError as error:
            raise Refused(413, "resolution_too_high", str(error).partition(";")[0]) from None
        except (TrimatteError, ValueError, TypeError) as error:
            raise Refused(400, "bad_input", " ".join(str(error).split())) from None
        self._refuse_if_too_large(cost)
        return cost

    def _refuse_if_too_large(self, cost: int) -> None:
        memory = self.settings.memory
        if cost > memory:
            got = f"got a picture that needs about {cost / 1e9:.1f} GB"
            message = f"image: expected one that fits into {memory / 1e9:.1f} GB of memory, {got}"
            raise Refused(413, "file_too_large", message)

    def place(self, cost: int) -> AbstractAsyncContextManager[int]:
        """Wait for a turn in this process; see `Desk.place`. Raises Refused if the memory is too small."""
        self._refuse_if_too_large(cost)
        return self.desk.place(cost)

    def _sizes(self, task: Task) -> tuple[int, bool]:
        """Return the pixels of the picture, and whether they are floats, by the heads of the files."""
        found = {name: pixel_count(File(content, name)) for name, content in task.files.items()}
        for name, (pixels, _) in found.items():
            if pixels > self.settings.pixels:
                wanted = f"{name}: expected at most {self.settings.pixels / 1e6:g} million pixels"
                raise Refused(413, "resolution_too_high", f"{wanted}, got {pixels / 1e6:.3g} million")
        return found["image"]


def response(answer: Answer) -> Response:
    """Return an answer as it is sent."""
    return Response(answer.content, 200, dict(answer.headers), answer.media_type)
