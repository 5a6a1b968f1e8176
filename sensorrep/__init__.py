"""Counts and measures 'heels apart' repetitions from two ankle-worn motion sensors.

The data's path, which is also the folder listing::

    devices/      bytes of each sensor model <-> SI samples, and the scripts that start and stop it (pure)
    sources/      where packets come from: the radio, a recording, a CSV table, a simulated wearer (I/O)
    stages/       decode -> deskew -> filter -> fuse -> measure -> segment -> summarise (pure, push style)
    kinematics/   the mathematics of turning legs that the stages use (pure)
    views/        what people see: JSON, terminal, plots, report (I/O)
    commands/     what each command takes, checks and says

Everything between source and views is deterministic: time is what the data say, so a recorded session replays to
the same numbers, however its packets are cut.

Signs and frames (all quaternions w first, Hamilton; the earth frame is z-up with a heading of its own for each foot):

=====================================  ===========================================
quantity                               positive when
=====================================  ===========================================
opening of a leg (either foot)         the heel moves away from the other heel
heel opening                           sum of both legs' openings: heels apart
lag of a rep                           the right leg opens later than the left
symmetry index                         the right leg opens further than the left
``q_earth_sensor``                     maps vectors of the sensor to the earth frame
=====================================  ===========================================
"""

__version__ = "0.1.0"
