"""A simulated radio: `boards` (what a sensor does), `link` (what the radio does to its packets) and `faults` (what goes
wrong when), all pure; `world`, in which they run on a clock; and `backend`, which puts that world behind bleak."""
