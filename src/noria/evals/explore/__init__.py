"""Feasibility and the choice of a model: from a brief and a few samples to what the evidence says."""
