"""Tests of `core/plots`."""
