"""Which sensor is on which foot: asked by lifting one, decided from motion."""

from dataclasses import replace

import pytest

from sensorrep.assignment import ASKED, SideQuestion, ask_sides
from sensorrep.commands.sensors import world_of_lifts
from sensorrep.errors import RadioReason, SensorRepError
from sensorrep.kinematics.unrest import Unrest
from sensorrep.model import Foot
from sensorrep.sources import virtual_time
from sensorrep.sources.ble import Radio
from sensorrep.sources.simulated.backend import backends
from sensorrep.sources.simulated.faults import parse_script
from sensorrep.sources.simulated.world import World
from sensorrep.sources.synthetic import Rest, Scenario

STILL: Unrest = (0.01, 0.01)
FIRST: Unrest = (0.9, 0.05)
SECOND: Unrest = (0.05, 0.9)
BOTH: Unrest = (0.9, 0.8)


def answered(*unrests: Unrest) -> SideQuestion:
    """The question after these, each for two seconds."""
    question = SideQuestion()
    for i in range(20 * len(unrests)):
        question.take(unrests[i // 20], i * 100_000_000)
    return question


@pytest.mark.parametrize(
    ("unrests", "swapped"),
    [
        ((STILL, FIRST, STILL, SECOND), False),
        ((STILL, SECOND, STILL, FIRST), True),
        ((BOTH, STILL, BOTH, FIRST, BOTH, STILL, SECOND), False),
    ],
)
def test_the_one_that_is_lifted_first_becomes_left(unrests: tuple[Unrest, ...], swapped: bool) -> None:
    question = answered(*unrests)
    assert question.step == "done"
    assert question.swapped is swapped


@pytest.mark.parametrize(
    ("unrests", "step"),
    [
        ((BOTH,), "settle"),
        (((0.01, None),), "settle"),
        ((STILL, BOTH), "left"),
        ((STILL, FIRST), "between"),
        ((STILL, FIRST, STILL), "right"),
        ((STILL, FIRST, STILL, FIRST), "again"),
        ((STILL, FIRST, STILL, FIRST, STILL), "left"),
    ],
)
def test_what_is_not_clear_is_asked_on(unrests: tuple[Unrest, ...], step: str) -> None:
    question = answered(*unrests)
    assert question.step == step
    assert question.swapped is None


def test_the_same_foot_twice_can_be_mended() -> None:
    assert answered(STILL, FIRST, STILL, FIRST, STILL, SECOND, STILL, FIRST).swapped is True


def ask(world: World, *, crossed: bool = False) -> tuple[bool, list[str]]:
    """The whole question over the simulated radio; `crossed` takes each sensor for the other foot's at first."""
    said: list[str] = []
    wanted = world.wanted()
    if crossed:
        wanted = {foot: replace(wanted[Foot(1 - foot)], foot=foot) for foot in Foot}

    async def main() -> bool:
        radio = Radio(wanted, rate_hz=50.0, backends=backends(world), now_ns=virtual_time.now_ns)
        return await ask_sides(radio, said.append)

    return virtual_time.run(main()), said


@pytest.mark.parametrize("crossed", [False, True])
def test_sides_are_found_over_the_radio(crossed: bool) -> None:
    swapped, said = ask(world_of_lifts(), crossed=crossed)
    assert swapped is crossed
    assert said == [ASKED[step] for step in ("settle", "left", "between", "right")]


def test_a_sensor_that_does_not_come_is_told() -> None:
    world = world_of_lifts(parse_script([[0, "right", "dead", 1e6]]))
    with pytest.raises(SensorRepError, match="right sensor") as told:
        ask(world)
    assert str(told.value).count(RadioReason.NOT_FOUND.value) == 1
    assert not any(one.client for one in world.peripherals.values())


def test_feet_that_never_move_are_told() -> None:
    world = World(Scenario("prone", (Rest(300.0, "still"),), lies_ready=True), 0)
    with pytest.raises(SensorRepError, match="no foot was seen moving"):
        ask(world)
    assert not any(one.client for one in world.peripherals.values())


def test_a_sensor_that_is_lost_meanwhile_is_told_at_once_and_is_the_reason_at_the_end() -> None:
    said: list[str] = []
    world = world_of_lifts(parse_script([[10, "left", "dead", 1e6]]))

    async def main() -> None:
        radio = Radio(world.wanted(), rate_hz=50.0, backends=backends(world), now_ns=virtual_time.now_ns)
        await ask_sides(radio, said.append)

    with pytest.raises(SensorRepError, match=r"left sensor .* was not found"):
        virtual_time.run(main())
    assert said[2].startswith("The left sensor")
    assert "was lost" in said[2]


def test_a_sensor_that_comes_back_meanwhile_is_told_too() -> None:
    swapped, said = ask(world_of_lifts(parse_script([[10, "left", "cut", 3]])))
    assert not swapped
    assert "The left sensor is back" in said
