"""Logs of other evaluation programs, read and written; one a file."""
