"""What a simulated radio is made of: `boards` (what a sensor does), `link` (what the radio does to its packets),
`faults` (what goes wrong when), all pure, and `backend`, which puts `sources.simulated_radio`'s world behind bleak."""
