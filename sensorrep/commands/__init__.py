"""The commands: what each one takes, checks and says. `sensorrep.cli` registers them."""
