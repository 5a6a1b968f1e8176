"""Commands that are more than a few lines: what each one takes, checks and says. `sensorrep.cli` registers them."""
