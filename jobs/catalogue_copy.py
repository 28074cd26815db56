"""The catalogue's copy in Redis, from which the order parser knows what the shop sells."""

from __future__ import annotations

import asyncio
import json
import logging

from shop import catalogue
from shop.service import Shop
from whatsapp.redis import CATALOGUE_KEY, RedisClient

logger = logging.getLogger(__name__)

VERSION_KEY = "chatcart:catalogue:version"


async def publish_catalogue(shop: Shop, redis: RedisClient, minutes_to_live: int) -> bool:
    """Publish the catalogue if it changed, or if its copy is gone or half way to expiring."""
    version = await asyncio.to_thread(shop.run, catalogue.version)
    seconds = minutes_to_live * 60
    published = await redis.get(VERSION_KEY)
    if published == version and await redis.ttl(CATALOGUE_KEY) > seconds / 2:
        return False
    snapshot = await asyncio.to_thread(shop.run, catalogue.snapshot)
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.set(CATALOGUE_KEY, json.dumps(snapshot), ex=seconds)
        pipeline.set(VERSION_KEY, snapshot["version"], ex=seconds)
        await pipeline.execute()
    logger.info("catalogue %s published", version)
    return True
