"""`python -m sensorrep`."""

from sensorrep.cli import main

main()
