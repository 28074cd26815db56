"""The small model of the tests is installed wherever it can be: what fails there is no reason to skip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.small_model import serving

LOCK = json.loads((serving.HERE / serving.LOCK).read_text(encoding="utf-8"))["packages"]


def test_the_lock_names_the_packages_of_every_platform_or_npm_refuses_it() -> None:
    wanted = {name for package in LOCK.values() for name in package.get("optionalDependencies", {})}
    locked = {path.rpartition("node_modules/")[2] for path in LOCK}
    assert "@node-llama-cpp/mac-x64" in wanted
    assert wanted <= locked


def test_the_lock_pins_what_it_names_by_hash_and_names_no_registry() -> None:
    packages = [package for path, package in LOCK.items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ("not in sync", serving.InstallFailed, "not in sync"),
        ("npm error code ENOTFOUND", serving.CannotServe, "reaches nobody"),
    ],
)
def test_an_installation_that_fails_is_a_failure_but_where_there_is_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, error: type[Exception], told: str
) -> None:
    for name, does in (("npm", f"echo '{said}' >&2; exit 1"), ("node", "echo v20.20.2")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(serving, "HOME", tmp_path / "home")
    monkeypatch.setattr(serving.platform, "system", lambda: "Linux")
    monkeypatch.setattr(serving.platform, "machine", lambda: "x86_64")
    with pytest.raises(error, match=told):
        serving.install()
