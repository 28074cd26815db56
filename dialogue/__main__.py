"""Rasa's command line in half of the memory: `python -m dialogue run ...` is `rasa run ...`.

What serves needs no TensorFlow, unless the pipeline has a component that does; see `rasa_patch`. To train and
to test, the plain `rasa` is for.
"""

from __future__ import annotations

from dialogue.rasa_patch import import_tensorflow_late


def main() -> None:
    """Run Rasa's command line."""
    import_tensorflow_late()
    from rasa.__main__ import main as rasa

    rasa()


if __name__ == "__main__":
    main()
