"""What can go wrong outside our own code: the radio, a sensor's bytes, a file.

::

    SensorRepError
    ├── RadioError        no adapter, no permission, a sensor not found, a link that will not hold
    ├── PayloadError      bytes that are no valid message of the sensor they came from
    └── RecordingError    a file that is no recording, cannot be read, or cannot be written

Misuse by a caller is ValueError or TypeError and is never caught.
"""

from enum import Enum


class SensorRepError(Exception):
    """Base of all errors that a user may meet; its text is one line that says what, where and what to do."""


class PayloadError(SensorRepError):
    """Bytes that are no valid message of the sensor they are said to come from."""


class RecordingError(SensorRepError):
    """A file that is not what it should be: `path`, `line` (1-based; None where no line is at fault) and what to do."""

    def __init__(self, path: object, line: int | None, what: str) -> None:
        self.path = path
        self.line = line
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {what}")


class RadioReason(Enum):
    """Why the radio did not do what was asked; the value is the hint for the person.

    The first four stand after what is said of Bluetooth, the others after what is said of a sensor.
    """

    NO_ADAPTER = "no adapter was found: plug one in, or check that the system sees it"
    NO_SERVICE = "the system's service for it is not running: start it (on Linux: sudo systemctl start bluetooth)"
    ADAPTER_OFF = "it is switched off: switch it on"
    NO_PERMISSION = "this program may not use it: allow it in the privacy settings (on Linux: join the group bluetooth)"
    NOT_FOUND = "wake the sensor (move it or press its button), check its battery, and bring it within 5 m"
    LINK_FAILED = "bring the sensor closer, and make sure that no phone or other program is connected to it"
    MTU_TOO_SMALL = "the link carries too few bytes a packet for this sensor: use another adapter or sensor mode"
    REFUSED = "take the sensor off its charger, switch it off and on, and start again"
    WRONG_FIRMWARE = "the sensor's firmware does not offer what is needed: update it with its maker's app"


class RadioError(SensorRepError):
    """The radio failed: `reason` says how, its value is a hint for the person."""

    def __init__(self, reason: RadioReason, what: str) -> None:
        self.reason = reason
        super().__init__(f"{what}: {reason.value}")
