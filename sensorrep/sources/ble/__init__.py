"""The real radio, through bleak: scan, and two sensors' packets as a source of messages (DESIGN 9).

::

    radio         `Radio`, `scan` and `with_battery`: both feet, one queue, one lock around scanning and connecting
    link          one sensor's task: find, connect, start, watch, lost, close, wait, again; knows no bleak
    scripts       carries out a sensor's scripts on its open connection
    connection    one open bleak client, and bleak's errors in our words

What fails is RadioError, with a reason and a hint. The facts behind the rules were measured or are from bleak's issues,
whose numbers are given. Tests and `--simulate` pass other backend classes (`Backends`); all else is the same.
"""

from sensorrep.sources.ble.connection import PLATFORM, Backends, Found
from sensorrep.sources.ble.link import LinkState, Wanted
from sensorrep.sources.ble.radio import Radio, scan, with_battery

__all__ = ["PLATFORM", "Backends", "Found", "LinkState", "Radio", "Wanted", "scan", "with_battery"]
