"""The models of this project: one folder each, with its `defs.yaml`."""
