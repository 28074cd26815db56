"""A durable queue on a Redis stream: one conversation in order, many at once, any number of workers.

An entry is a row of the stream plus a place in its conversation's waiting list; both are written by
one script. The stream wakes workers, the list keeps the order, a lease makes sure that one worker at
a time serves a conversation, and an entry leaves the queue in the same MULTI as its effects. A worker
may die anywhere: its lease runs out, the entry is still first in its list, another worker takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from redis.exceptions import ResponseError, WatchError

from whatsapp.redis import RedisClient, RedisPipeline

LEASE_MILLISECONDS = 6_000
WEEK_SECONDS = 7 * 24 * 3600
INBOUND, OUTBOUND = "chatcart:inbound", "chatcart:outbound"
GROUP = "workers"

ADD = """
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return false end
local entry = redis.call('XADD', KEYS[2], '*', 'conversation', ARGV[2], 'body', ARGV[3])
redis.call('RPUSH', KEYS[3], entry)
return entry
"""
ADD_SOME = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local count = redis.call('INCR', KEYS[4])
if count == 1 then redis.call('EXPIRE', KEYS[4], 60) end
local most = tonumber(ARGV[5])
if count > most + 1 then return 3 end
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
local body = ARGV[3]
local taken = 1
if count > most then body, taken = ARGV[4], 2 end
redis.call('RPUSH', KEYS[3], redis.call('XADD', KEYS[2], '*', 'conversation', ARGV[2], 'body', body))
return taken
"""
EXTEND = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
# In both: KEYS a conversation's lease, its waiting list, the stream; ARGV[1] the worker's token. The first
# entry of the list; where nothing waits the lease is given back. A row that was trimmed by hand leaves an
# empty place.
FIRST = """
while true do
  local entry = redis.call('LINDEX', KEYS[2], 0)
  if not entry then
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    return false
  end
  local rows = redis.call('XRANGE', KEYS[3], entry, entry)
  if rows[1] then return {entry, rows[1][2][4]} end
  redis.call('LREM', KEYS[2], 1, entry)
end
"""
TAKE = f"""
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
{FIRST}"""


class LeaseLost(Exception):
    """Another worker took the conversation over; nothing was written."""


class Message(Protocol):
    """What can wait in a queue."""

    @property
    def id(self) -> str:
        """Unique; the same id is taken in once a week."""

    @property
    def conversation(self) -> str:
        """Messages of one conversation are served in order."""

    def to_json(self) -> str:
        """The form in which it waits."""


@dataclass(frozen=True)
class Entry:
    """A waiting message: its id on the stream, its conversation, and what `to_json` wrote."""

    id: str
    conversation: str
    body: str

    @property
    def taken_in(self) -> float:
        """When it was, by Redis' clock, in seconds since 1970."""
        return int(self.id.split("-")[0]) / 1000


class Admission(IntEnum):
    """What became of a message that asked to be taken in."""

    DOUBLED = 0
    TAKEN = 1
    ONE_TOO_MANY = 2
    """Replaced by what says so."""
    OVER_LIMIT = 3


Effects = Callable[[RedisPipeline], None]


class ConversationQueue:
    """The operations on one queue; `name` is its stream's key."""

    def __init__(self, redis: RedisClient, name: str) -> None:
        self._redis = redis
        self.name = name

    async def add(self, message: Message) -> bool:
        """Take a message in durably; False if its id was taken in before."""
        return bool(await self._redis.eval(*self._add_arguments(message)))

    async def add_some(self, message: Message, most_per_minute: int, one_too_many: Message) -> Admission:
        """The same for a conversation that may say so much in a minute: the next message is replaced by
        `one_too_many`, and those after it are not taken in."""
        _, _, seen, stream, waiting, week, conversation, body = self._add_arguments(message)
        counted = f"{self.name}:rate:{message.conversation}"
        values = (week, conversation, body, one_too_many.to_json(), most_per_minute)
        return Admission(await self._redis.eval(ADD_SOME, 4, seen, stream, waiting, counted, *values))

    async def length(self) -> int:
        """How many messages wait, those in work among them."""
        return int(await self._redis.xlen(self.name))

    async def oldest(self) -> float | None:
        """When the message that waits longest was taken in, in seconds since 1970; None: nothing waits."""
        rows = await self._redis.xrange(self.name, count=1)
        return int(rows[0][0].split("-")[0]) / 1000 if rows else None

    def add_in(self, pipeline: RedisPipeline, message: Message) -> None:
        """The same as a part of somebody's MULTI."""
        pipeline.eval(*self._add_arguments(message))

    async def read(self, consumer: str, count: int, block_milliseconds: int) -> list[str]:
        """Conversations in which something new waits; waits for one if there is none."""
        try:
            streams = await self._redis.xreadgroup(
                GROUP, consumer, {self.name: ">"}, count=count, block=block_milliseconds
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            return []
        return [fields["conversation"] for _, entries in streams or [] for _, fields in entries]

    async def claim_idle(self, consumer: str, idle_milliseconds: int) -> list[str]:
        """Conversations with entries that some worker took and has not finished for a while."""
        try:
            answer = await self._redis.xautoclaim(
                self.name, GROUP, consumer, min_idle_time=idle_milliseconds, start_id="0-0"
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            return []
        return [fields["conversation"] for _, fields in answer[1] if fields]

    async def take(self, conversation: str, token: str) -> Entry | None:
        """Become the one worker of a conversation, for `LEASE_MILLISECONDS`: its next entry.

        None where another worker has it, or nothing waits; then nobody has the lease of us.
        """
        keys = self._keys(conversation)
        answer = await self._redis.eval(TAKE, len(keys), *keys, token, LEASE_MILLISECONDS)
        return _entry(conversation, answer)

    async def extend(self, conversation: str, token: str) -> bool:
        """Keep a lease; False if it was lost."""
        key = self._lease_key(conversation)
        return bool(await self._redis.eval(EXTEND, 1, key, token, LEASE_MILLISECONDS))

    async def release(self, conversation: str, token: str) -> None:
        """Give a lease back, whatever waits."""
        await self._redis.eval(RELEASE, 1, self._lease_key(conversation), token)

    async def finish(self, entry: Entry, token: str, effects: Effects) -> Entry | None:
        """Remove a served entry together with its effects, in one MULTI.

        Args:
            effects: queues further commands on the pipeline.

        Returns:
            The conversation's next entry; None if nothing waits: then the lease is given back.

        Raises:
            LeaseLost: if the conversation is no longer ours; nothing was written.
        """
        lease_key, waiting_key, _ = keys = self._keys(entry.conversation)
        async with self._redis.pipeline(transaction=True) as pipeline:
            while True:
                await pipeline.watch(lease_key)
                if await pipeline.get(lease_key) != token:
                    raise LeaseLost()
                pipeline.multi()
                effects(pipeline)
                pipeline.xack(self.name, GROUP, entry.id)
                pipeline.xdel(self.name, entry.id)
                pipeline.lrem(waiting_key, 1, entry.id)
                pipeline.eval(FIRST, len(keys), *keys, token)
                try:
                    *_, first = await pipeline.execute()
                    return _entry(entry.conversation, first)
                except WatchError:
                    continue  # the lease was extended meanwhile, or lost: look again

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(self.name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _add_arguments(self, message: Message) -> tuple[Any, ...]:
        keys = (f"{self.name}:seen:{message.id}", self.name)
        waiting = self._waiting_key(message.conversation)
        values = (WEEK_SECONDS, message.conversation, message.to_json())
        return (ADD, 3, *keys, waiting, *values)

    def _waiting_key(self, conversation: str) -> str:
        return waiting_key(self.name, conversation)

    def _keys(self, conversation: str) -> tuple[str, str, str]:
        return self._lease_key(conversation), self._waiting_key(conversation), self.name

    def _lease_key(self, conversation: str) -> str:
        return f"{self.name}:lease:{conversation}"


def _entry(conversation: str, answer: list[str] | None) -> Entry | None:
    return Entry(answer[0], conversation, answer[1]) if answer else None


def waiting_key(queue: str, conversation: str) -> str:
    """The list of what waits for a conversation in a queue, what is in work among it."""
    return f"{queue}:waiting:{conversation}"


def inbound_queue(redis: RedisClient) -> ConversationQueue:
    """Messages on their way to the dialogue."""
    return ConversationQueue(redis, INBOUND)


def outbound_queue(redis: RedisClient) -> ConversationQueue:
    """Messages on their way to the customer."""
    return ConversationQueue(redis, OUTBOUND)
