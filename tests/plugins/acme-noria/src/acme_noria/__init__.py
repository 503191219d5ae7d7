"""Acme's models as providers of Noria, and a scorer."""
