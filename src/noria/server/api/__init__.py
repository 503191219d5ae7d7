"""The control process's HTTP API: one file a noun, each a router with its request and response models."""
