"""What became of the messages that we sent, as Twilio tells it in any order, and how often it was which.

Source: Twilio, "Message status values" and its error dictionary.
"""

from __future__ import annotations

from whatsapp.redis import RedisClient, RedisPipeline

SECONDS_KEPT = 7 * 24 * 3600
COUNTERS_KEY = "chatcart:deliveries"
"""A hash: how many messages reached each status, and `error:<code>` for each that failed."""
UNDELIVERED_KEY = "chatcart:undelivered"
"""A list: which of the shop's own messages did not arrive, and the code why (`<message id> 63016`)."""
RANKS = {"accepted": 1, "queued": 2, "sending": 3, "sent": 4, "delivered": 5, "read": 6}
FAILED = ("undelivered", "failed")
RANKS |= dict.fromkeys(FAILED, 7)
OPTED_OUT = "21610"
REASONS = {
    OPTED_OUT: "the customer opted out of our messages",
    "63016": "the customer has not written for 24 hours, and only an approved template may go out",
    "63018": "more messages a second than WhatsApp takes: lower OUTBOUND_PER_SECOND",
    "63021": "a template's text is too long or malformed",
    "63024": "no WhatsApp account has this number",
    "63032": "WhatsApp does not deliver our messages to this customer",
}
FORWARD = """
local before = tonumber(redis.call('HGET', KEYS[1], 'rank') or '0')
if before >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'rank', ARGV[2], 'error', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
if ARGV[3] ~= '' then redis.call('HINCRBY', KEYS[2], 'error:' .. ARGV[3], 1) end
local message = redis.call('HGET', KEYS[1], 'message')
if message and tonumber(ARGV[2]) == 7 then redis.call('RPUSH', KEYS[3], message .. ' ' .. ARGV[3]) end
return 1
"""
NAME = """
redis.call('HSET', KEYS[1], 'message', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
if redis.call('HGET', KEYS[1], 'rank') == '7' then
  redis.call('RPUSH', KEYS[2], ARGV[1] .. ' ' .. redis.call('HGET', KEYS[1], 'error'))
end
return 1
"""


class Deliveries:
    """The record of deliveries."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def record(self, sid: str, status: str, error: str = "") -> bool:
        """Take in a status; False if it is unknown, or no step forward."""
        rank = RANKS.get(status)
        if rank is None:
            return False
        keys = (_key(sid), COUNTERS_KEY, UNDELIVERED_KEY)
        return bool(await self._redis.eval(FORWARD, 3, *keys, status, rank, error, SECONDS_KEPT))

    async def status(self, sid: str) -> str | None:
        """What a message has come to; None if nothing was told."""
        status = await self._redis.hget(_key(sid), "status")
        return None if status is None else str(status)


def sent_in(pipeline: RedisPipeline, message_id: str, sid: str) -> None:
    """The shop's own message is at Twilio by this id, as a part of a MULTI: should it not arrive, or should
    that have been told already, it is in the list of those that did not."""
    pipeline.eval(NAME, 2, _key(sid), UNDELIVERED_KEY, message_id, SECONDS_KEPT)


def undelivered_in(pipeline: RedisPipeline, message_id: str, code: str = "") -> None:
    """The shop's own message will not arrive (no code: it was given up), as a part of a MULTI."""
    pipeline.rpush(UNDELIVERED_KEY, f"{message_id} {code}")


def _key(sid: str) -> str:
    return f"chatcart:delivery:{sid}"


def reason(code: str) -> str:
    """An error code in words, where we know it."""
    return REASONS.get(code, "see Twilio's error dictionary")
