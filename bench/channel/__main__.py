"""Messages through Twilio's signed webhook until their replies reach the API: Chatcart beside stock Rasa.

Run with `python -m bench.channel [--conversations 1 8 32 128] [--api-milliseconds 50 0] [--turns 10]
[--quick] [--plot] [--profile]`, or `make bench-channel`. What counts is a reply that the stand-in of
Twilio's API took.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from bench.channel.measuring import Measuring, Scale
from bench.channel.place import NotComparable, open_place
from bench.channel.plot import save_plot
from bench.channel.profile import profile
from bench.channel.running import NotReady
from bench.channel.stock_model import StockFailed

PROFILED = 32
"""Conversations while `--profile` looks."""


async def measure(scale: Scale, plot: bool) -> bool:
    """Measure and print; whether every target is met."""
    async with open_place() as place:
        measuring = Measuring(place, scale)
        await measuring.run()
        met = measuring.report()
        if plot:
            print(f"\nplotted: {save_plot(*measuring.figures.values())}")
        return met


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--api-milliseconds", type=int, nargs="+", default=[50, 0])
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--long-turns", type=int, default=500, help="of the long conversation")
    parser.add_argument("--starts", type=int, default=2, help="of which the quickest counts")
    parser.add_argument("--profile", action="store_true", help="where Chatcart's processes spend their time")
    parser.add_argument("--quick", action="store_true", help="few conversations: does it run at all?")
    parser.add_argument("--plot", action="store_true", help="save docs/pictures/bench-channel.svg")
    return parser.parse_args()


def make_scale(options: argparse.Namespace) -> Scale:
    """How much is measured."""
    if options.quick:
        return Scale((1, 4), (50,), 10, least_turns=10, starts=1, long_turns=40, slow_conversations=4)
    return Scale(
        tuple(options.conversations),
        tuple(options.api_milliseconds),
        options.turns,
        starts=options.starts,
        long_turns=options.long_turns,
    )


def main() -> None:
    """Measure, print, and exit with 1 where a target is missed."""
    options = read_options()
    # A run that is told to stop takes its processes with it, as one that is interrupted does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench.channel: stopped"))
    print(f"{os.cpu_count()} cores, load average before: {os.getloadavg()[0]:.1f}")
    try:
        if options.profile:
            asyncio.run(profile(PROFILED))
            return
        met = asyncio.run(measure(make_scale(options), options.plot))
    except (NotComparable, NotReady, StockFailed) as failure:
        sys.exit(f"bench.channel: {failure}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
