"""One running system for the system-level fault tests: the end-to-end tests' own."""

from tests.e2e.conftest import new_phone, system

__all__ = ["new_phone", "system"]
