"""Puts the shop's own events on the inbound stream: the one door through which customers are told."""

from __future__ import annotations

import asyncio
import logging

from shop import outbox
from shop.service import Shop
from whatsapp.conversation_queue import ConversationQueue
from whatsapp.inbound import InboundMessage, Kind

logger = logging.getLogger(__name__)

BATCH = 100


async def dispatch_outbox(shop: Shop, inbound: ConversationQueue) -> int:
    """Dispatch what waits in the outbox; how many events.

    A crash between stream and mark dispatches an event again; the stream takes each id once.
    """
    notices = await asyncio.to_thread(shop.run, lambda work: outbox.pending(work, BATCH))
    for addressed in notices:
        await inbound.add(
            InboundMessage(
                id=str(addressed.notice.id),
                conversation=addressed.lookup,
                address=addressed.address,
                kind=Kind.EVENT,
                event=addressed.notice.event,
                data=addressed.notice.data,
            )
        )
        logger.info("event %s dispatched: %s", addressed.notice.id, addressed.notice.event)
    if notices:
        await asyncio.to_thread(shop.run, lambda work: outbox.mark_dispatched(work, notices))
    return len(notices)
