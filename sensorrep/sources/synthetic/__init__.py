"""A simulated wearer: packets of two sensors on two shanks that obey physics, and the truth about what was done.

::

    scenario                 what is done, with which sensors and which radio
    wearer                   the timeline of joint moves that ...
    exercise, activities     ... sets and all other doings fill, and liveliness makes breathe
    anatomy, body            joint angles -> path of each sensor -> angular rate and specific force
    straps                   how that path wobbles and shakes against the shank
    sensor                   -> int16 samples in packets of the open profile for DIY sensors
    radio                    -> arrivals at the host
    truth                    reps, sets and openings, measured on the noise-free motion
    session                  all of it: `simulate`

Nothing here knows how sensorrep counts. A seed gives the same session to the bit; the movements do not depend on the
sensors and the radio, so that one session can be seen through different ones.
"""

from sensorrep.sources.synthetic.scenario import (
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
    RollOver,
    Scenario,
    Sensor,
    Set,
    SitToStand,
    Squats,
    Stand,
    Sway,
    ToeTap,
    Walk,
    typical,
)
from sensorrep.sources.synthetic.session import Simulated, simulate
from sensorrep.sources.synthetic.truth import TrueRep, TrueSet, Truth

__all__ = [
    "CHEAP",
    "Activity",
    "Adjust",
    "ChairRises",
    "Fatigue",
    "Fidget",
    "KneeBends",
    "Link",
    "OneLeg",
    "Outage",
    "Rest",
    "RollOver",
    "Scenario",
    "Sensor",
    "Set",
    "Simulated",
    "SitToStand",
    "Squats",
    "Stand",
    "Sway",
    "ToeTap",
    "TrueRep",
    "TrueSet",
    "Truth",
    "Walk",
    "simulate",
    "typical",
]
