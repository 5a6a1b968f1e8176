"""`sensorrep scan` and `sensorrep setup`: which sensors are there, and which one is on which foot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sensorrep.errors import RadioError, RadioReason

if TYPE_CHECKING:
    from sensorrep.model import Foot
    from sensorrep.sources.ble import Backends, Found
    from sensorrep.sources.settings import KnownSensor
    from sensorrep.sources.simulated.faults import Fault
    from sensorrep.sources.simulated.world import World

RATE_HZ: Final = 50.0
"""Enough to see which foot moves."""

Seconds = Annotated[float, typer.Option(min=1, max=60, help="How long to look for sensors.")]
Simulate = Annotated[bool, typer.Option("--simulate", help="Ask a simulated radio; nothing is stored.")]


def scan(seconds: Seconds = 6.0, simulate: Simulate = False) -> None:
    """List the sensors in reach: name, signal, battery, address, model."""
    import asyncio

    show(asyncio.run(_scan(seconds, _backends(simulate))), simulated=simulate)


def setup(seconds: Seconds = 6.0, simulate: Simulate = False) -> None:
    """Find two sensors, tell left from right, and remember them.

    It asks you to lift the left foot, then the right one.
    """
    import asyncio
    from dataclasses import replace

    from sensorrep.sources.settings import read_settings, settings_path, write_settings

    path = settings_path()
    settings = read_settings(path)
    left, right = asyncio.run(_setup(seconds, simulate))
    print(f"Left is {_called(left)}, right is {_called(right)}.")
    if simulate:
        print("SIMULATED: nothing was stored.")
        return
    write_settings(path, replace(settings, feet=_known(left, right)))
    print(f"Stored in {path}\nNext: sensorrep live")


def show(found: "list[Found]", *, simulated: bool) -> None:
    """Print a line a sensor."""
    from sensorrep.devices import device
    from sensorrep.model import LOW_BATTERY_PCT
    from sensorrep.views.formats import UNKNOWN, printable

    if simulated:
        print("SIMULATED: these sensors do not exist")
    rows = [("name", "signal", "battery", "address", "model")]
    for one in found:
        signal = UNKNOWN if one.rssi_dbm is None else f"{one.rssi_dbm} dBm"
        battery = UNKNOWN if one.battery_pct is None else f"{one.battery_pct} %"
        if one.battery_pct is not None and one.battery_pct <= LOW_BATTERY_PCT:
            battery += ", charge it"
        rows.append((printable(one.name), signal, battery, one.address, device(one.model).TITLE))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for model in dict.fromkeys(one.model for one in found):
        if not getattr(device(model), "LIVE_CUES", True):
            print(f"{device(model).TITLE}: its samples come seconds late, good for the report and no use live.")


def _backends(simulate: bool) -> "Backends":
    if not simulate:
        from sensorrep.sources.ble import PLATFORM

        return PLATFORM
    from sensorrep.sources.simulated.backend import backends

    return backends(world_of_lifts())


async def _scan(seconds: float, backends: "Backends") -> "list[Found]":
    """The sensors in reach with their batteries. Raises RadioError where there is none."""
    from sensorrep.sources.ble import scan as look
    from sensorrep.sources.ble import with_battery

    print(f"Looking for sensors for {seconds:g} s ...", flush=True)
    found = await look(seconds, backends)
    if not found:
        raise RadioError(RadioReason.NOT_FOUND, "no sensor was found")
    print("Asking for batteries ...", flush=True)
    return [await with_battery(one, backends) for one in found]


async def _setup(seconds: float, simulate: bool) -> "tuple[Found, Found]":
    """The sensors of the left and of the right foot. Raises RadioError where there are not two."""
    from sensorrep.assignment import ask_sides
    from sensorrep.model import Foot
    from sensorrep.sources.ble import Radio, Wanted

    backends = _backends(simulate)
    found = await _scan(seconds, backends)
    show(found, simulated=simulate)
    if len(found) == 1:
        raise RadioError(RadioReason.NOT_FOUND, "only one sensor was found")
    if len(found) > 2:
        print("More than two: the two with the strongest signal are taken. Switch the others off if those are wrong.")
    nearest = (found[0], found[1])
    wanted = {foot: Wanted(foot, one.model, one.address, one.name) for foot, one in zip(Foot, nearest, strict=True)}
    print("Connecting ...", flush=True)
    radio = Radio(wanted, rate_hz=RATE_HZ, backends=backends)
    swapped = await ask_sides(radio, lambda line: print(line, flush=True))
    return (nearest[1], nearest[0]) if swapped else nearest


def _known(left: "Found", right: "Found") -> "dict[Foot, KnownSensor]":
    from sensorrep.model import Foot
    from sensorrep.sources.settings import KnownSensor

    return {foot: KnownSensor(one.model, one.address, one.name) for foot, one in zip(Foot, (left, right), strict=True)}


def _called(one: "Found") -> str:
    from sensorrep.views.formats import printable

    return printable(one.name) or one.address


def world_of_lifts(script: "Sequence[Fault]" = ()) -> "World":
    """A simulated wearer who lifts the left foot, then the right one."""
    from sensorrep.model import Foot
    from sensorrep.sources.simulated.world import World
    from sensorrep.sources.synthetic import OneLeg, Rest, Scenario

    lifts = [(OneLeg(foot, size_deg=25.0), Rest(5.0, "still")) for foot in Foot]
    activities = (Rest(14.0, "still"), *lifts[0], *lifts[1], *lifts[0], *lifts[1])
    return World(Scenario("seated", activities, lies_ready=True), 0, script)
