"""What people see and hear: JSON document, terminal, plots, report. SI units become degrees here and nowhere else."""
