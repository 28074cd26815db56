"""`make test-browser`: the whole system, used in headless Chromium; PICTURES=1 renews those of docs/."""

from __future__ import annotations

import subprocess
import sys

from deploy.prepare import ROOT
from settings import exit_with
from tests.browser.chromium import chromium_path


def main() -> None:
    """Run the tests; without a browser say what to install."""
    if chromium_path() is None:
        exit_with("no Chromium here; install it (Debian: apt-get install chromium) and try again")
    arguments = [sys.executable, "-m", "pytest", "tests/browser", *sys.argv[1:]]
    raise SystemExit(subprocess.run(arguments, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
