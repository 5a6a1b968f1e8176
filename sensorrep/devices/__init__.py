"""What each sensor model says on the air: one pure module a model, and this list of them.

A module offers, as plain names:

- ``MODEL``: its own name, as recordings write it; ``TITLE``: what people call it.
- ``CHANNELS``: channel word -> UUID of the characteristic (lower case).
- ``TIMES``: what its samples' time is: the sensor's ``"clock"`` (or counter), a ``"count"`` of what came and so anew
  after each pause, or the ``"session"``'s own.
- ``MIN_MTU``: the smallest ATT MTU that carries its packets whole.
- ``recognises(name, services)``: whether an advertisement is one of its kind.
- ``start(rate_hz)`` and ``stop()``: scripts (see `Script`) that configure and start, or stop, a connected sensor.
  What ``start`` returns is the ``info`` that the decoder needs later (ranges, rates): it goes into the recording.
- ``nominal_hz(info)``: the rate that this info says.
- ``Decoder(info)``: packets of one sensor -> samples (see `Decoder`).
- where its samples come too late for live cues, ``LIVE_CUES = False``.
- where the sensor can be asked, ``battery()``: a script that returns one byte, per cent; and ``clock(token)`` with
  ``parse_ping(answer, sent_ns, received_ns)``: a script for its clock, and what the answer says.

A script is a generator: it yields an action, is sent the bytes that answer it (empty where nothing answers), and
returns the sensor's info. So a whole start-up is testable without a radio.
"""

import importlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, cast

from sensorrep.model import Packet, Samples


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Enable notifications on a channel, unless they are."""

    channel: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write bytes to a channel."""

    channel: str
    payload: bytes
    response: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """Read a channel; its value is sent into the script."""

    channel: str


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for a notification that begins with `prefix`; it is sent into the script."""

    channel: str
    prefix: bytes
    timeout_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Leave the sensor alone for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Mtu:
    """Ask for the link's ATT MTU; two bytes, least significant first, are sent into the script."""


Action = Subscribe | Write | Read | Await | Pause | Mtu
Script = Generator[Action, bytes, bytes]


class Decoder(Protocol):
    """Packets of one sensor -> samples. Holds only what its stream needs (wraps, a partial frame)."""

    malformed: int
    """Payloads that were no valid message so far; the stream goes on after each."""

    def push(self, packets: Sequence[Packet]) -> Samples:
        """Samples of these packets in order of arrival; `foot` is left 0. Any cutting of the packets gives the same."""
        ...


class Device(Protocol):
    """The shape of each module in this folder."""

    MODEL: str
    TITLE: str
    CHANNELS: Mapping[str, str]
    TIMES: Literal["clock", "count", "session"]
    MIN_MTU: int

    def recognises(self, name: str | None, services: Sequence[str]) -> bool: ...  # noqa: D102
    def start(self, rate_hz: float) -> Script: ...  # noqa: D102
    def stop(self) -> Script: ...  # noqa: D102
    def nominal_hz(self, info: bytes) -> float: ...  # noqa: D102
    def Decoder(self, info: bytes) -> Decoder: ...  # noqa: D102, N802


MODELS: Final = ("diy", "table", "witmotion", "movesense", "dot", "metamotion", "polar", "thingy")
"""Every module of this folder, in the order in which advertisements are tried."""


def device(model: str) -> Device:
    """Module of a sensor model. Raises KeyError for a model that is not in MODELS."""
    if model not in MODELS:
        raise KeyError(model)
    return cast("Device", importlib.import_module(f"{__name__}.{model}"))
