"""Reports of runs, one form a file."""
