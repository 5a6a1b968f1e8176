"""What people see: JSON document, terminal, plots, report. SI units become degrees here and nowhere else."""
