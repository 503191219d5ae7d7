"""Suites that are shipped, as TOML, and readers of the public data sets that they use."""
