"""Train a model of the present data if there is none, and say which one it is: `python -m deploy.model`."""

from __future__ import annotations

import sys

from deploy.prepare import ROOT, TrainingFailed, prepare_model


def main() -> None:
    """Make the model; what is told goes where the caller sends it."""
    try:
        print(prepare_model(ROOT / ".state" / "logs" / "training.log", print))
    except TrainingFailed as failure:
        sys.exit(f"chatcart: {failure}")


if __name__ == "__main__":
    main()
