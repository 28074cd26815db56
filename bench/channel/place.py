"""Where both systems run: embedded servers that they share, the stand-in, and the load."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.channel.conversation import lines
from bench.channel.load import Load, open_load
from bench.channel.running import MeasuredSystem
from bench.channel.stock_model import prepare_stock
from bench.channel.systems import Chatcart, StandInProcess, Stock
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey

CHECK_SECONDS = 0.5


class NotComparable(Exception):
    """A system answers a message of the conversation with no reply, or with several."""


@dataclass(frozen=True)
class Place:
    """Two systems that wait to be started, and what loads them."""

    chatcart: MeasuredSystem
    stock: MeasuredSystem | None
    load: Load

    @property
    def systems(self) -> tuple[MeasuredSystem, ...]:
        """Both, Chatcart first."""
        return (self.chatcart, self.stock) if self.stock else (self.chatcart,)

    async def check(self, turns: int) -> None:
        """One conversation with each system, with a pause for a second reply after each message.

        Raises:
            NotComparable
        """
        for system in self.systems:
            outcome = await self.load.run(system, 1, lines(turns), pause_seconds=CHECK_SECONDS)
            if outcome.lost or outcome.wrong or outcome.unexpected or outcome.refused:
                raise NotComparable(f"{system.title}: {outcome}")


@asynccontextmanager
async def open_place(stock: bool = True) -> AsyncIterator[Place]:
    """Everything but the systems' processes is running; all of it ends in the end."""
    project = await asyncio.to_thread(prepare_stock) if stock else None
    home = _make_home()
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, home, ignore_errors=True)
        postgres = EmbeddedPostgres(home)
        ending.callback(postgres.stop)
        valkey = EmbeddedValkey(home)
        ending.callback(valkey.stop)
        stand_in = StandInProcess(home)
        ending.callback(stand_in.stop)
        stand_in.start()
        chatcart = Chatcart(home, postgres, valkey, stand_in.address)
        ending.callback(chatcart.stop)
        other = Stock(home, project, valkey, stand_in.address) if project else None
        if other:
            ending.callback(other.stop)
        async with open_load(stand_in.address) as load:
            yield Place(chatcart, other, load)


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="chatcart-bench-channel-"))
    home.chmod(0o755)  # the embedded server runs as another user where this is root
    return home
