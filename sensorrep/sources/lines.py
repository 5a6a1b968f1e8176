"""Lines of a recording <-> header, packets, events (recordings/README.md): pure, writing beside reading.

What a line may hold is checked strictly, so that everything behind the reader may rely on it: whatever is neither a
valid packet nor an object is damage, and `parse_line` gives None for it.
"""

import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, get_args

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from sensorrep.devices import MODELS, device
from sensorrep.errors import PayloadError, RecordingError
from sensorrep.model import Foot, Movement, Packet, RecordingHeader, SensorInfo
from sensorrep.packets import Alike, joined, picked

FORMAT: Final = "sensorrep-recording"
MAJOR: Final = 1
MAX_LINE: Final = 1 << 20
"""Lines up to this many bytes are read for sure; a larger limit costs memory on files that are no recordings. Packets
from the radio make lines of below 1 100 bytes, a second of a table some 12 000."""

_T = TypeVar("_T")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_EVENT_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PACKET: Final = re.compile(
    rf'\[(?P<number>[0-9]{{1,19}}),"(?P<foot>[a-z]+)","(?P<channel>{_CHANNEL.pattern})","(?P<payload>{_HEX.pattern})"\]'.encode()
)


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


def runs(text: bytes) -> Iterator[bytes]:
    """Whole lines, cut so that each one that is an object comes by itself: what lies between should be packets."""
    if b"{" not in text:
        yield text
        return
    first, *others = text.split(b"\n{")
    for part in [first, *(b"{" + other for other in others)]:
        line, newline, rest = part.partition(b"\n") if part.startswith(b"{") else (b"", b"\n", part)
        if line:
            yield line
        if newline:
            yield rest


def parse_packets(text: bytes, feet: Mapping[str, Foot]) -> Sequence[Packet] | None:
    """What `parse_line` makes of each of these lines, if all are packets as the writer spells them; otherwise None.

    Lines of one length differ in their digits alone, or else they are left to `parse_line`. So the first of them says
    where everything is, and numbers and payloads are cut out of all at once: a fifth of the cost of `json.loads`.
    """
    characters = np.frombuffer(text, np.uint8)
    (ends,) = np.append(characters == ord("\n"), True).nonzero()
    begins = np.append(0, ends[:-1] + 1)
    lengths = ends - begins
    places, parts = [], []
    for length in np.flatnonzero(np.bincount(lengths)).tolist():
        (at,) = (lengths == length).nonzero()
        part = _alike(sliding_window_view(characters, length)[begins[at]], feet) if length else None
        if part is None:
            return None
        places.append(at)
        parts.append(part)
    order = np.empty(len(ends), np.int64)
    order[np.concatenate(places)] = np.arange(len(ends))
    return picked(joined(parts), order)


def _alike(lines: npt.NDArray[np.uint8], feet: Mapping[str, Foot]) -> Alike | None:
    """Packets from the characters of their lines (n, length), if these differ in nothing but digits."""
    first = _PACKET.fullmatch(lines[0].tobytes())
    foot = feet.get(first["foot"].decode()) if first else None
    if first is None or foot is None:
        return None
    (number, joint), (payload, close) = first.span("number"), first.span("payload")
    digits = lines[:, number:joint] - ord("0")
    frame = np.r_[0:number, joint:payload, close : lines.shape[1]]
    if (lines[:, frame] != lines[0, frame]).any() or (digits > 9).any() or (joint > 2 and not digits[:, 0].all()):
        return None
    received_ns = digits.astype(np.uint64) @ 10 ** np.arange(joint - number, dtype=np.uint64)[::-1]
    try:
        content = binascii.unhexlify(lines[:, payload:close].tobytes())
    except ValueError:
        return None
    if received_ns.max() >= 1 << 63:
        return None
    payloads = np.frombuffer(content, np.uint8).reshape(len(lines), (close - payload) // 2)
    return Alike(received_ns.astype(np.int64), np.full(len(lines), foot, np.uint8), first["channel"].decode(), payloads)


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
