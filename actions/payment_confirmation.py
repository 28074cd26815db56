"""PAYMENT_CONFIRMATION, and whatever else the shop tells of its own accord."""

from __future__ import annotations

from actions.base import ShopAction
from actions.conversation import Conversation
from actions.notices import TELL
from shop.service import Shop


class TellNotice(ShopAction):
    """Tells one kind of event: `action_payment_confirmed`, `action_order_status_changed`, ..."""

    def __init__(self, shop: Shop, event: str) -> None:
        super().__init__(shop)
        self._event = event

    def name(self) -> str:
        return f"action_{self._event}"

    async def answer(self, conversation: Conversation) -> None:
        await TELL[self._event](conversation, conversation.event_data)


def notice_actions(shop: Shop) -> list[TellNotice]:
    """One action for each event."""
    return [TellNotice(shop, event) for event in TELL]
