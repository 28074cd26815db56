"""Fixtures of both planes; those of the commerce plane need its libraries."""

from __future__ import annotations

import importlib.util

import pytest

from settings import Settings, read_settings
from tests.environment import ENVIRONMENT

if importlib.util.find_spec("rasa") is None:
    pytest_plugins = ["tests.commerce_fixtures"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts from the same settings."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def settings(environment: None) -> Settings:
    """The settings as a process reads them."""
    return read_settings()
