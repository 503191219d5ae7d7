"""Kinds of targets, one a file."""
