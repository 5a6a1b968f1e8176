"""Lines of a recording <-> header, packets, events (recordings/README.md): pure, writing beside reading.

What a line may hold is checked strictly, so that everything behind the reader may rely on it: whatever is neither a
valid packet nor an object is damage, and `parse_line` gives None for it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar, get_args

from sensorrep.devices import MODELS, device
from sensorrep.errors import PayloadError, RecordingError
from sensorrep.model import Foot, Movement, Packet, RecordingHeader, SensorInfo

FORMAT: Final = "sensorrep-recording"
MAJOR: Final = 1
MAX_LINE: Final = 1 << 20
"""Lines up to this many bytes are read for sure; a larger limit costs memory on files that are no recordings. Packets
from the radio make lines of below 1 100 bytes, a second of a table some 12 000."""

_T = TypeVar("_T")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_EVENT_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_BEFORE_OBJECT: Final = re.compile(r"\n(?={)")
_packet: Final = partial(tuple.__new__, Packet)  # `Packet(...)` itself is half the cost of reading


def header_line(header: RecordingHeader) -> str:
    """First line of a recording."""
    return _json(
        {
            "format": f"{FORMAT}/{MAJOR}",
            "started_at": header.started_at,
            "simulated": header.simulated,
            "movement": header.movement,
            "feet": {
                foot.word: {"device": sensor.device, "name": sensor.name, "info": sensor.info.hex()}
                for foot, sensor in sorted(header.feet.items())
            },
            "software": dict(header.software),
        }
    )


def parse_header(path: object, line: str) -> RecordingHeader:
    """The header in the first line of the file at `path`. Raises RecordingError; unknown keys are ignored."""
    found = _loads(line)
    version = re.fullmatch(rf"{FORMAT}/(\d{{1,9}})(\.\d+)?", str(found.get("format"))) if type(found) is dict else None
    if type(found) is not dict or version is None:
        raise RecordingError(
            path, 1, f'this is no recording: its first line is not {{"format": "{FORMAT}/{MAJOR}", …}}'
        )
    if int(version[1]) != MAJOR:
        what = f"this recording is {found['format']}, and {FORMAT}/{MAJOR} is what this version reads: update sensorrep"
        raise RecordingError(path, 1, what)
    try:
        return RecordingHeader(
            feet=_parse_feet(found.get("feet")),
            started_at=_parse_started_at(found.get("started_at")),
            simulated=_typed("simulated", found.get("simulated", False), bool),
            movement=_parse_movement(found.get("movement", "heels-apart")),
            software=_parse_software(found.get("software", {})),
        )
    except _HeaderError as error:
        raise RecordingError(path, 1, f"the header's {error}") from None


def packet_line(packet: Packet) -> str:
    """A packet's line. Raises ValueError for a packet that could not be read back."""
    received_ns, foot, channel, payload = packet
    if not (0 <= received_ns < 1 << 63 and _CHANNEL.fullmatch(channel) and len(payload) < MAX_LINE // 4):
        raise ValueError(f"no packet for a recording: {received_ns}, {channel!r}, {len(payload)} bytes")
    return f'[{received_ns},"{foot.word}","{channel}","{payload.hex()}"]'


def event_line(kind: str, fields: Mapping[str, Any]) -> str:
    """An event's line: `{"kind": {fields}}`. Raises ValueError for what could not be read back."""
    line = _json({kind: fields})
    if not _EVENT_KIND.fullmatch(kind) or kind == "format" or len(line) > MAX_LINE // 4:
        raise ValueError(f"no event for a recording: {kind!r}, {len(line)} characters")
    return line


def parse_line(line: str, feet: Mapping[str, Foot]) -> Packet | dict[str, Any] | None:
    """A packet of one of `feet` (by word), an event object, or None for anything else."""
    found = _loads(line)
    if type(found) is dict:
        return found
    if type(found) is not list or len(found) != 4:
        return None
    received_ns, foot, channel, payload = found
    if type(received_ns) is not int or not all(type(word) is str for word in (foot, channel, payload)):
        return None
    if not (0 <= received_ns < 1 << 63 and foot in feet and _CHANNEL.fullmatch(channel) and _HEX.fullmatch(payload)):
        return None
    return Packet(received_ns, feet[foot], channel, bytes.fromhex(payload))


def runs(text: str) -> Iterator[str]:
    """Whole lines, cut so that each one that is an object comes by itself: what lies between should be packets."""
    if "{" not in text:
        yield text
        return
    first, *others = text.split("\n{")
    for part in [first, *("{" + other for other in others)]:
        line, newline, rest = part.partition("\n") if part.startswith("{") else ("", "\n", part)
        if line:
            yield line
        if newline:
            yield rest


def parse_packets(text: str, feet: Mapping[str, Foot]) -> list[Packet] | None:
    """What `parse_line` makes of each of these lines, if all are packets as the writer spells them; otherwise None.

    All lines are taken apart at their quotes at once, which costs half of `json.loads` of each. Every sixth part is a
    joint: the end of a line and the number of the next.
    """
    parts = text.split('"')
    joints, words, commas, channels, more_commas, hexes = (parts[start::6] for start in range(6))
    numbers = "".join(joints)
    if len(parts) != 6 * len(hexes) + 1 or joints[-1] != "]" or {*commas, *more_commas} != {","}:
        return None
    # each joint is a line's end, the next one's beginning, at least one number, and a comma
    if {joint[:3] + joint[-1:] for joint in joints[1:-1]} - {"]\n[,"} or numbers.count("\n") != len(hexes) - 1:
        return None
    try:
        times_ns = json.loads(numbers.replace(",]\n[", ",").removesuffix(",]") + "]")
        named = [feet[word] for word in words]
        payloads = list(map(bytes.fromhex, hexes))
    except (ValueError, KeyError, RecursionError):
        return None
    if len(times_ns) != len(hexes) or {*map(type, times_ns)} != {int} or not all(map(_CHANNEL.fullmatch, {*channels})):
        return None
    if min(times_ns) < 0 or max(times_ns) >= 1 << 63 or 2 * sum(map(len, payloads)) != sum(map(len, hexes)):
        return None  # the last: `fromhex` takes spaces too
    return list(map(_packet, zip(times_ns, named, channels, payloads, strict=True)))


class _HeaderError(Exception):
    """A header key that is not what it should be; the text is for the person."""


def _parse_feet(found: Any) -> dict[Foot, SensorInfo]:
    words = {foot.word: foot for foot in Foot}
    if type(found) is not dict or not found or not found.keys() <= words.keys():
        raise _HeaderError('"feet" must name the sensors as "left", "right", or both')
    feet = {words[word]: _parse_sensor(word, sensor) for word, sensor in found.items() if sensor is not None}
    if not feet:
        raise _HeaderError('"feet" names no sensor')
    return feet


def _parse_sensor(word: str, found: Any) -> SensorInfo:
    sensor = _typed(word, found, dict)
    model = _typed("device", sensor.get("device"), str)
    if model not in MODELS:
        raise _HeaderError(
            f"{word} sensor is of a model that this version does not know ({model[:40]!r}): update sensorrep"
        )
    info = _typed("info", sensor.get("info", ""), str)
    if not _HEX.fullmatch(info):
        raise _HeaderError(f'"info" of the {word} sensor must be bytes in hexadecimal')
    found_info = bytes.fromhex(info)
    try:
        device(model).Decoder(found_info)  # so that decoding cannot fail on it later
    except PayloadError as error:
        raise _HeaderError(f'"info" of the {word} sensor is not valid: {error}') from None
    return SensorInfo(model, _typed("name", sensor.get("name", ""), str), found_info)


def _parse_started_at(found: Any) -> str | None:
    if found is None:
        return None
    started_at = _typed("started_at", found, str)
    try:
        datetime.fromisoformat(started_at)
    except ValueError:
        raise _HeaderError('"started_at" must be an ISO 8601 time or null') from None
    return started_at


def _parse_movement(found: Any) -> Movement:
    for movement in get_args(Movement):
        if found == movement:
            return movement  # type: ignore[no-any-return]
    raise _HeaderError(f'"movement" must be one of {", ".join(get_args(Movement))}')


def _parse_software(found: Any) -> dict[str, str]:
    software = _typed("software", found, dict)
    return {name: _typed("software", version, str) for name, version in software.items()}


def _typed(key: str, found: Any, kind: type[_T]) -> _T:
    if type(found) is not kind:
        raise _HeaderError(f'"{key}" is missing or has the wrong type')
    return found


def _json(found: Any) -> str:
    # Lone surrogates (from a terminal with another encoding) would make a line that is not UTF-8: they become "?".
    return json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace").decode()


def _loads(line: str) -> Any:
    """The JSON value of a line, or None where there is none (null is not asked for anywhere)."""
    try:
        found = json.loads(line, parse_constant=_refuse)
        if "\\u" in line or not line.isascii():
            json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate could not be printed later
    except (ValueError, RecursionError):
        return None
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
