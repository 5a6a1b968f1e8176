"""What a simulated radio is made of, all pure: `boards` (what a sensor does), `link` (what the radio does to it),
`faults` (what goes wrong when). `sensorrep.sources.simulated_radio` puts them behind bleak."""
