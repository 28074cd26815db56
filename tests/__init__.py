"""Tests, by folder of the house; `make test` runs them all (tests/run.py)."""
