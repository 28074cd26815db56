"""An embedded Valkey for the dialogue plane, which has none: it lives until its standard input is closed.

Run by the interpreter of the commerce plane; it prints one line of JSON, the port and the password.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from deploy.local.servers import EmbeddedValkey


def main() -> None:
    """Serve, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="chatcart-fuzz-"))
    valkey = EmbeddedValkey(folder)
    try:
        print(json.dumps({"port": valkey.port, "password": valkey.password}), flush=True)
        sys.stdin.read()
    finally:
        valkey.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
