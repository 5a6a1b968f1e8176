"""A clock that jumps: hours pass at once, in order, and a program that would wait for ever says so."""

import asyncio
import threading
import time

import pytest

from sensorrep.sources import virtual_time


def test_an_hour_passes_at_once() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        await asyncio.sleep(3600.0)
        return loop.time() - begun_s

    begun_s = time.perf_counter()
    assert virtual_time.run(main()) == pytest.approx(3600.0)
    assert time.perf_counter() - begun_s < 5.0


def test_things_happen_in_the_order_of_their_times() -> None:
    happened: list[tuple[str, int]] = []

    async def after(name: str, seconds: float) -> None:
        begun_ns = virtual_time.now_ns()
        for _ in range(3):
            await asyncio.sleep(seconds)
            happened.append((name, round((virtual_time.now_ns() - begun_ns) / 1e6)))

    async def main() -> None:
        await asyncio.gather(after("a", 0.3), after("b", 0.5))

    virtual_time.run(main())
    assert happened == [("a", 300), ("b", 500), ("a", 600), ("a", 900), ("b", 1000), ("b", 1500)]


def test_a_timeout_comes_at_its_time() -> None:
    async def main() -> float:
        begun_s = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7.5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time() - begun_s

    assert virtual_time.run(main()) == pytest.approx(7.5)


def test_a_thread_is_waited_for_where_nothing_else_is_to_be_done() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(done.set_result, "done")).start()
        return await done

    assert virtual_time.run(main()) == "done"


def test_waiting_for_ever_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_time, "PATIENCE_S", 0.01)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="for ever"):
        virtual_time.run(main())
