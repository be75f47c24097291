"""Leaks: columns that give the label away, splits that know of each other, and a pipeline that sees what it must not.

Each kind has a module: a pure function of rows that gives `Leak`s. `waivers` turns them into a claim's finding.
"""
