"""What accuracy is measured on: a list of simulated sessions, each run with several seeds.

Every condition differs from a plain session in what its name says. The rows of the printed table are its `rows`.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Final, NamedTuple, get_args

from sensorrep.model import Foot, Posture
from sensorrep.sources.synthetic import (
    CHEAP,
    Activity,
    Adjust,
    ChairRises,
    Fatigue,
    Fidget,
    KneeBends,
    Link,
    OneLeg,
    Outage,
    Rest,
    Scenario,
    Sensor,
    Set,
    Simulated,
    SitToStand,
    Squats,
    Stand,
    Sway,
    ToeTap,
    Truth,
    Walk,
    simulate,
    typical,
)

POSTURES: Final[tuple[Posture, ...]] = get_args(Posture)
RANGES_DEG: Final = (4.0, 7.0, 12.0, 18.0, 25.0)
TEMPOS: Final = {
    # concentric, hold, eccentric, pause; the numbers in the names are the sum
    "0.8 s": (0.30, 0.10, 0.30, 0.10),
    "1.6 s": (0.55, 0.15, 0.65, 0.25),
    "3 s, no hold": (1.20, 0.15, 1.40, 0.25),
    "3.6 s": (1.20, 0.40, 1.40, 0.60),
    "6 s, hold": (1.40, 2.40, 1.60, 0.60),
    "6 s, pause": (1.30, 0.30, 1.40, 3.00),
    "12 s": (3.00, 3.50, 4.00, 1.50),
}
RATES_HZ: Final = (25.0, 50.0, 100.0, 200.0)
FATIGUE: Final = "fatigue of 25 % and more, or none"
QUICK: Final = {
    # every posture, both ends of range and tempo, and each kind of trouble once
    "prone, 12 deg, 3.6 s",
    "hook-lying, 12 deg, 3.6 s",
    "table-top, 12 deg, 3.6 s",
    "seated, 12 deg, 3.6 s",
    "prone, 4 deg, 3.6 s",
    "table-top, 25 deg, 3.6 s",
    "hook-lying, 7 deg, 0.8 s",
    "seated, 18 deg, 12 s",
    "prone, 25 Hz, 12 deg, 3.6 s",
    "hook-lying, cheap sensors",
    "hook-lying, loss 10 %",
    "table-top, dropouts of 0.3 s",
    "prone, one sensor restarts",
    "seated, bounce at the top",
    "hook-lying, stop on the way out",
    "table-top, sagging hold of 8 s",
    "prone, one leg nearly still",
    "hook-lying, half rep at the end",
    "seated, starts in the middle of a set",
    "prone, band adjusted between reps",
    "seated, no fatigue, uneven",
    "seated, 35 % lost",
    "prone, no reps: both feet sway",
    "hook-lying, no reps: knee bends",
    "table-top, no reps: fidgeting",
    "seated, no reps: standing and sitting",
    "prone, straps wobble 0.5 deg",
    "table-top, soft tissue shakes",
    "seated, no reps: squats",
    "hook-lying, no reps: chair rises, straps wobble",
}


class Condition(NamedTuple):
    """A kind of session: what is done, how often it is run, and where it shows in the table."""

    name: str
    scenario: Scenario
    seeds: int
    rows: tuple[str, ...]
    small: bool = False
    """Some reps stay below 6 degrees a side: the floor for single conditions does not hold it to account."""
    fault: Callable[[Scenario, Truth], Scenario] | None = None
    """What goes wrong, and when: placed by what happens in the sound session, as the motion doesn't depend on it."""

    @property
    def quick(self) -> bool:
        """Whether it is part of the small, fast subset."""
        return self.name in QUICK

    @property
    def has_reps(self) -> bool:
        """Whether there is anything to be counted."""
        return any(isinstance(one, Set) for one in self.scenario.activities)

    def some_seeds(self, count: int) -> range:
        """Seeds of this condition's own, so that no two conditions share a wearer and fail together."""
        first = zlib.crc32(self.name.encode())
        return range(first, first + count)

    def session(self, seed: int) -> tuple[Scenario, Simulated]:
        """One session of this kind, with the scenario that was played in the end."""
        sound = simulate(self.scenario, seed)
        if self.fault is None:
            return self.scenario, sound
        faulty = self.fault(self.scenario, sound.truth)
        return faulty, simulate(faulty, seed)


def conditions() -> list[Condition]:
    """The whole matrix, sessions with reps first."""
    return [*_grid(), *_rates(), *_nuisances(), *_fatigue(), *_without_reps()]


def _grid() -> Iterator[Condition]:
    """Posture x range x tempo at 100 Hz."""
    for posture, range_deg, (tempo, tempo_s) in product(POSTURES, RANGES_DEG, TEMPOS.items()):
        yield Condition(
            f"{posture}, {range_deg:g} deg, {tempo}",
            typical(posture, sets=2, range_deg=(range_deg, range_deg), tempo_s=tempo_s, rest_s=25.0),
            seeds=3,
            rows=(f"posture {posture}", f"range {range_deg:g} deg", f"tempo {tempo}"),
            small=range_deg < 6,
        )


def _rates() -> Iterator[Condition]:
    """Posture x sampling rate, at an ordinary and at a fast and small rep, and both feet at different rates."""
    for posture, (left_hz, right_hz) in product(POSTURES, [*zip(RATES_HZ, RATES_HZ, strict=True), (50.0, 104.0)]):
        rate = f"{left_hz:g} Hz" if left_hz == right_hz else f"{left_hz:g} and {right_hz:g} Hz"
        for range_deg, tempo in [(12.0, "3.6 s"), (7.0, "1.6 s")]:
            yield Condition(
                f"{posture}, {rate}, {range_deg:g} deg, {tempo}",
                typical(
                    posture,
                    sets=2,
                    range_deg=(range_deg, range_deg),
                    tempo_s=TEMPOS[tempo],
                    left=Sensor(rate_hz=left_hz),
                    right=Sensor(rate_hz=right_hz),
                ),
                seeds=3,
                rows=(f"rate {rate}",),
            )


def _nuisances() -> Iterator[Condition]:
    for posture in POSTURES:
        for name, scenario in _nuisance_scenarios(posture).items():
            yield Condition(
                f"{posture}, {name}",
                scenario,
                seeds=4,
                rows=(name,),
                small=name == "one leg nearly still",
            )
        for name, fault in FAULTS.items():
            yield Condition(
                f"{posture}, {name}",
                typical(posture, sets=2),
                seeds=4,
                rows=(name,),
                fault=fault,
            )


def _short_dropouts(scenario: Scenario, truth: Truth) -> Scenario:
    """One foot or the other, at every phase of a rep."""
    reps = truth.sets[0].reps
    at_s = (reps[1].start_s + 0.1, reps[2].open_s - 0.1, reps[3].close_s, reps[4].end_s - 0.2, reps[5].start_s - 0.1)
    return replace(scenario, outages=tuple(Outage(Foot(i % 2), one_s, 0.3) for i, one_s in enumerate(at_s)))


def _dropout(scenario: Scenario, truth: Truth, feet: tuple[Foot, ...]) -> Scenario:
    """In the third rep of either set."""
    starts_s = [one.reps[2].start_s for one in truth.sets]
    return replace(scenario, outages=tuple(Outage(foot, at_s, 3.0) for at_s in starts_s for foot in feet))


def _restart(scenario: Scenario, truth: Truth) -> Scenario:
    return replace(scenario, outages=(Outage(Foot.LEFT, truth.sets[0].reps[2].open_s, 2.0, "reboot"),))


def _late_start(scenario: Scenario, truth: Truth) -> Scenario:
    return replace(scenario, begin_s=truth.sets[0].reps[2].close_s)


def _early_end(scenario: Scenario, truth: Truth) -> Scenario:
    return replace(scenario, end_s=truth.sets[-1].reps[5].open_s)


FAULTS: Final[dict[str, Callable[[Scenario, Truth], Scenario]]] = {
    "dropouts of 0.3 s": _short_dropouts,
    "dropout of 3 s, one foot": partial(_dropout, feet=(Foot.RIGHT,)),
    "dropout of 3 s, both feet": partial(_dropout, feet=(Foot.LEFT, Foot.RIGHT)),
    "one sensor restarts": _restart,
    "starts in the middle of a set": _late_start,
    "ends in the middle of a set": _early_end,
}


def _nuisance_scenarios(posture: Posture) -> dict[str, Scenario]:
    plain = typical(posture, sets=2)
    fast = typical(posture, sets=2, tempo_s=TEMPOS["1.6 s"])
    small = typical(posture, sets=2, range_deg=(7.0, 7.0))
    return {
        "cheap sensors": typical(posture, sets=2, left=CHEAP, right=CHEAP),
        "straps wobble 0.2 deg": _worn(plain, Sensor(wobble_deg=0.2)),
        "straps wobble 0.5 deg": _worn(plain, Sensor(wobble_deg=0.5)),
        "straps wobble 0.5 deg, 7 deg": _worn(small, Sensor(wobble_deg=0.5)),
        "straps wobble 0.2 deg, cheap sensors": _worn(plain, replace(CHEAP, wobble_deg=0.2)),
        "straps wobble 0.5 deg, cheap sensors": _worn(plain, replace(CHEAP, wobble_deg=0.5)),
        "soft tissue shakes": _worn(plain, Sensor(shake_deg=0.2)),
        "soft tissue shakes in fast reps": _worn(fast, Sensor(shake_deg=0.2)),
        "all shakes, cheap sensors": _worn(fast, replace(CHEAP, wobble_deg=0.2, shake_deg=0.2)),
        "loss 2 %": replace(plain, link=Link(loss=0.02, duplicate=0.01, reorder=0.01)),
        "loss 10 %": replace(plain, link=Link(loss=0.10)),
        "stalls and late bursts": replace(plain, link=Link(stalls_per_min=4.0, retry=0.1)),
        "bounce at the top": typical(posture, sets=2, tempo_s=(1.2, 1.2, 1.4, 0.6), bounce=tuple(range(1, 9))),
        "stop on the way out": typical(posture, sets=2, tempo_s=(2.4, 0.4, 1.4, 0.6), hesitate=(2, 3, 5, 7)),
        "sagging hold of 8 s": typical(posture, sets=2, reps=6, tempo_s=(1.2, 8.0, 1.4, 0.6), sag=0.25),
        "tremor": typical(posture, sets=2, tempo_s=(1.2, 1.5, 1.4, 0.6), tremor_deg=0.25),
        "one leg nearly still": typical(posture, sets=2, range_deg=(12.0, 1.5)),
        "left twice the right": typical(posture, sets=2, range_deg=(16.0, 8.0)),
        "lag of 0.3 s": typical(posture, sets=2, lag_s=0.3),
        "half rep at the end": typical(posture, sets=2, partial=(8,)),
        "return not complete": typical(posture, sets=2, incomplete=0.15),
        "uneven reps": typical(posture, sets=2, variation=0.20),
        "knees and pelvis wander": typical(posture, sets=2, drift_deg=8.0),
        "rest of 12 s": typical(posture, sets=3, rest_s=12.0),
        "rest of 2 min with movement": _sets(posture, Rest(40, "mixed"), KneeBends(2), Fidget(3), Rest(60, "fidget")),
        "band adjusted between reps": _sets(posture, Adjust(3.0), reps=4),
        "one leg turns in the rest": _sets(posture, Rest(10, "still"), OneLeg(Foot.RIGHT, 2), Rest(10, "still")),
        "sway in the rest": _sets(posture, Rest(10, "still"), Sway(3, both_sides=True), Rest(10, "still")),
        "sets of 3": typical(posture, sets=3, reps=3),
    }


def _worn(scenario: Scenario, sensor: Sensor) -> Scenario:
    """The same with this sensor on either foot."""
    return replace(scenario, left=sensor, right=sensor)


def _sets(posture: Posture, *between: Activity, reps: int = 8) -> Scenario:
    """Two sets with these activities between them."""
    plain = typical(posture, sets=1, reps=reps)
    at = next(i for i, one in enumerate(plain.activities) if isinstance(one, Set))
    one_set = plain.activities[at]
    return replace(plain, activities=(*plain.activities[: at + 1], *between, one_set, *plain.activities[at + 1 :]))


def _fatigue() -> Iterator[Condition]:
    """Losses of none, 25 %, 35 % and 50 % of range, slowing in step; 10 reps a set, and 6, where they show least."""
    quarter = Fatigue(from_rep=4, range_loss=0.25, slowing=0.15)
    kinds = {
        "no fatigue, 10 reps": (10, None),
        "no fatigue, 6 reps": (6, None),
        "no fatigue, uneven": (10, None),
        "25 % lost": (10, quarter),
        "25 % lost in 6 reps": (6, quarter),
        "35 % lost": (10, Fatigue(from_rep=5, range_loss=0.35, slowing=0.2)),
        "50 % lost": (10, Fatigue(from_rep=3, range_loss=0.50, slowing=0.4)),
    }
    for posture, (name, (reps, fatigue)) in product(POSTURES, kinds.items()):
        variation = 0.10 if "uneven" in name else 0.06
        yield Condition(
            f"{posture}, {name}",
            typical(posture, sets=2, reps=reps, fatigue=fatigue, variation=variation),
            seeds=4,
            rows=(name, FATIGUE) if reps == 10 else (name,),
        )


def _without_reps() -> Iterator[Condition]:
    """Sessions in which nothing is to be counted, two to three minutes each."""
    kinds: dict[str, tuple[Activity, ...]] = {
        "setup only": (Walk(10), Adjust(10), Rest(20, "fidget"), Adjust(6), Rest(20, "relax"), Stand(10)),
        "fidgeting": (Fidget(6), Rest(5, "still"), Fidget(6, (5.0, 30.0)), Rest(15, "fidget")),
        "knee bends": (KneeBends(6), Rest(5, "still"), KneeBends(6, size_deg=40.0), KneeBends(8, alternate=True)),
        "both feet sway": (Sway(8), Rest(5, "still"), Sway(6, both_sides=True), Sway(6, size_deg=20.0, seconds=3.5)),
        "standing and sitting": (SitToStand(5), Stand(5), SitToStand(5)),
        "walking": (Walk(40), Stand(5), Walk(40, steps_per_s=1.3)),
        "toe taps": (ToeTap(20), Rest(5, "still"), ToeTap(20, rate_hz=1.0)),
        # not seen walking, so that nothing but how their shanks turn tells them from reps
        "squats": (Stand(5), Squats(10), Stand(5), Squats(10, lean_deg=35.0, seconds=4.0)),
        "chair rises": (Stand(5), ChairRises(8), Stand(5), ChairRises(8, seconds=2.5)),
    }
    for posture, (name, activities) in product(POSTURES, kinds.items()):
        first = () if isinstance(activities[0], Stand) else (Stand(2), Walk(6), Rest(4, "still"))
        scenario = Scenario(posture, (*first, *activities, *activities, Rest(5, "still")))
        yield Condition(f"{posture}, no reps: {name}", scenario, seeds=3, rows=(f"no reps: {name}",))
        yield Condition(
            f"{posture}, no reps: {name}, straps wobble",
            _worn(scenario, Sensor(wobble_deg=0.5, shake_deg=0.2)),
            seeds=3,
            rows=(f"no reps: {name}", "no reps: straps wobble"),
        )
