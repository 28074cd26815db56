"""Rasa's lock store on Redis: one message of a conversation at a time, in the order in which they came.

A conversation's tickets wait in a list; each has a key that Redis lets expire and that says that the ticket
counts. A ticket is a random number which whoever asks draws: an old holder cannot name somebody else's, and a
request whose answer was lost can be taken back. The scripts name keys that they find in the list; a Redis
cluster would need them on one node.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from rasa.core.lock import Ticket, TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, LockError, LockStore
from rasa.utils.endpoints import EndpointConfig
from redis import Redis
from redis.exceptions import RedisError

from dialogue.turn import current_turn
from settings import read_settings
from whatsapp.redis import connect, connection_options

logger = logging.getLogger(__name__)

LIST_PREFIX = "chatcart:lock:list:"
TICKET_PREFIX = "chatcart:lock:ticket:"
WAKE_PREFIX = "chatcart:lock:wake:"
LONGEST_WAIT_SECONDS = 3.0
"""A waiter looks again after so long, woken or not; a client waits longer than this for an answer."""

# In every script: KEYS[1] a conversation's list, ARGV[1] and ARGV[2] how its ticket and wake keys begin.
FIRST = """
local function first()
  while true do
    local ticket = redis.call('LINDEX', KEYS[1], 0)
    if not ticket then return nil end
    local left = redis.call('PTTL', ARGV[1] .. ticket)
    if left ~= -2 then return ticket, left end
    redis.call('LPOP', KEYS[1])
  end
end
"""
# In how many milliseconds ticket ARGV[3] should look again: 0 it is its turn, -1 it ended. Asking gives it
# ARGV[4] milliseconds from now on.
STANDING = """
if redis.call('PEXPIRE', ARGV[1] .. ARGV[3], ARGV[4]) == 0 then return -1 end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
local ticket, left = first()
if not ticket then return -1 end
if ticket == ARGV[3] then return 0 end
return left + 1
"""
ISSUE = f"""{FIRST}
if redis.call('SET', ARGV[1] .. ARGV[3], '1', 'NX', 'PX', ARGV[4]) then
  redis.call('RPUSH', KEYS[1], ARGV[3])
end
{STANDING}"""
LOOK = FIRST + STANDING
FINISH = f"""{FIRST}
local served = first()
redis.call('LREM', KEYS[1], 1, ARGV[3])
redis.call('DEL', ARGV[1] .. ARGV[3], ARGV[2] .. ARGV[3])
if served ~= ARGV[3] then return end
local ticket, left = first()
if not ticket then return end
redis.call('RPUSH', ARGV[2] .. ticket, '1')
redis.call('PEXPIRE', ARGV[2] .. ticket, left + 1)
"""
TICKETS = """
local tickets = {}
for _, ticket in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local left = redis.call('PTTL', ARGV[1] .. ticket)
  if left ~= -2 then table.insert(tickets, {ticket, left}) end
end
return tickets
"""
DELETE = """
for _, ticket in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  redis.call('DEL', ARGV[1] .. ticket, ARGV[2] .. ticket)
end
return redis.call('DEL', KEYS[1])
"""


class ConversationLockStore(LockStore):
    """Tickets in Redis: first come, first served, between processes; a ticket ends with its lifetime.

    A waiter's lifetime begins anew whenever it looks at the list, a holder's when its turn comes. So who was
    killed ends after one lifetime at most, and who lives does not lose its place to a slow one before it.
    """

    def __init__(self, endpoint_config: EndpointConfig | None = None) -> None:
        self._settings = read_settings().redis
        self._redis = connect(self._settings)
        super().__init__()

    @asynccontextmanager
    async def lock(
        self,
        conversation_id: str,
        lock_lifetime: float = LOCK_LIFETIME,
        wait_time_in_seconds: float = 1,
    ) -> AsyncIterator[TicketLock]:
        """Be the only one who serves a conversation; a waiter is woken when its turn comes.

        In a turn of the WhatsApp consumer this asks nobody. The consumer holds the conversation's lease,
        which makes it the only one already, and its commit fails if the lease is lost; a second lock would
        cost two round trips in each turn and could only disagree.

        Args:
            wait_time_in_seconds: Rasa's pause between two attempts; not needed here.

        Raises:
            LockError: if Redis does not answer, or the ticket ended before its turn came.
        """
        if current_turn.get() is not None:
            yield TicketLock(conversation_id)
            return
        ticket = _draw()
        try:
            await self._wait_for_turn(conversation_id, ticket, lock_lifetime)
            yield TicketLock(conversation_id, deque([Ticket(ticket, time.time() + lock_lifetime)]))
        finally:
            await self._give_back(conversation_id, ticket)

    def issue_ticket(self, conversation_id: str, lock_lifetime: float = LOCK_LIFETIME) -> int:
        """Take a place behind all who wait.

        Raises:
            LockError: if Redis does not answer.
        """
        ticket = _draw()
        self._run(ISSUE, conversation_id, ticket, _milliseconds(lock_lifetime))
        return ticket

    def finish_serving(self, conversation_id: str, ticket_number: int) -> None:
        """End one's own ticket and wake who is next; one that ended already changes nothing.

        Raises:
            LockError: if Redis does not answer.
        """
        self._run(FINISH, conversation_id, ticket_number)

    def cleanup(self, conversation_id: str, ticket_number: int) -> None:
        """The same: the list goes with its last ticket; deleting it in a second step could hit a new one."""
        self.finish_serving(conversation_id, ticket_number)

    def get_lock(self, conversation_id: str) -> TicketLock | None:
        """The tickets that count now, in their order; None if there are none.

        Raises:
            LockError: if Redis does not answer.
        """
        now = time.time()
        tickets = [
            Ticket(int(number), now + left / 1000) for number, left in self._run(TICKETS, conversation_id)
        ]
        return TicketLock(conversation_id, deque(tickets)) if tickets else None

    def delete_lock(self, conversation_id: str) -> None:
        """End all tickets of a conversation; who waits gets a `LockError`.

        Raises:
            LockError: if Redis does not answer.
        """
        self._log_deletion(conversation_id, bool(self._run(DELETE, conversation_id)))

    def save_lock(self, lock: TicketLock) -> None:
        """Nobody may do this: what was issued since `lock` was read would be lost (a fault of Rasa's own)."""
        raise NotImplementedError("tickets are issued and finished one by one")

    def update_lock(self, conversation_id: str) -> None:
        """Nothing to do: Redis itself ends what has expired."""

    @cached_property
    def _blocking_redis(self) -> Any:
        """For the methods that Rasa declares synchronous; its server calls `lock` alone, which needs none."""
        return Redis(**connection_options(self._settings))

    def _run(self, script: str, conversation_id: str, *values: int) -> Any:
        try:
            return self._blocking_redis.eval(*_arguments(script, conversation_id, *values))
        except (RedisError, OSError) as error:
            raise _lock_error(error) from error

    async def _wait_for_turn(self, conversation_id: str, ticket: int, lifetime: float) -> None:
        values = (conversation_id, ticket, _milliseconds(lifetime))
        longest = min(LONGEST_WAIT_SECONDS, lifetime / 3)
        left = await _answer(self._redis.eval(*_arguments(ISSUE, *values)))
        while left > 0:
            seconds = max(min(left / 1000, longest), 0.001)
            await _answer(self._redis.blpop(f"{WAKE_PREFIX}{conversation_id}:{ticket}", timeout=seconds))
            left = await _answer(self._redis.eval(*_arguments(LOOK, *values)))
        if left < 0:
            raise LockError("the ticket ended before its turn came")

    async def _give_back(self, conversation_id: str, ticket: int) -> None:
        """What was served is served: without Redis the ticket is left to expire."""
        try:
            await _answer(self._redis.eval(*_arguments(FINISH, conversation_id, ticket)))
        except LockError as error:
            logger.warning("%s; the ticket ends by itself", error)


async def _answer(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except (RedisError, OSError) as error:
        raise _lock_error(error) from error


def _lock_error(error: Exception) -> LockError:
    return LockError(f"the lock is not to be had from Redis: {type(error).__name__}")


def _arguments(script: str, conversation_id: str, *values: int) -> tuple[Any, ...]:
    prefixes = (f"{TICKET_PREFIX}{conversation_id}:", f"{WAKE_PREFIX}{conversation_id}:")
    return (script, 1, LIST_PREFIX + conversation_id, *prefixes, *values)


def _draw() -> int:
    return secrets.randbits(63)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
