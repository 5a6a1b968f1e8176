"""An event loop whose clock jumps to the next thing to do: a session of twenty minutes runs in seconds, the same each
time. For simulated radios only: whatever waits for the real world would wait for nothing."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

BEGIN_S: Final = 1000.0
"""Where the clock begins: anywhere but at zero, which is too easy."""
PATIENCE_S: Final = 5.0
"""How long, in real time, threads and signals may take to give a loop something to do that has nothing to do."""

_T = TypeVar("_T")


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """`asyncio.run` on virtual time. Raises RuntimeError where nothing would ever happen again."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def now_ns() -> int:
    """The running loop's clock: the monotonic clock of a host that lives in virtual time."""
    return round(asyncio.get_running_loop().time() * 1e9)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that never sleeps."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds."""
        return self._clock.now_s


class _JumpingSelector(selectors.SelectSelector):
    """Where a loop would wait for events, moves the clock on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = BEGIN_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Events that are there; without any, the time is `timeout` later."""
        events = super().select(0.0 if timeout is not None else PATIENCE_S)
        if not events:
            if timeout is None:
                raise RuntimeError("nothing is scheduled and nothing can come: the program would wait for ever")
            self.now_s += max(timeout, 0.0)
        return events
