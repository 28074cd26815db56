"""A member of staff who takes a customer's conversation, writes in it and hands it back."""

from __future__ import annotations

import time
import uuid

from db.models import Handoff
from shop import handoffs
from shop.service import Shop
from shop.work import Work
from tests.e2e.rows import pseudonym
from tests.e2e.system import Phone


class Staff:
    """Works with the shop as the console does, for the customer of one phone."""

    def __init__(self, shop: Shop, phone: Phone) -> None:
        self._shop = shop
        self._phone = phone
        self._name = ""

    def take(self, name: str) -> None:
        """Take the conversation, called or not."""
        self._name = name
        lookup = pseudonym(self._phone.system, self._phone)

        def start(work: Work) -> uuid.UUID:
            customer = work.customers.find_by_lookup(lookup)
            assert customer is not None, "nobody wrote with this phone yet"
            return handoffs.start(work, customer.id, name)

        self._shop.run(start)

    def write(self, text: str) -> None:
        """Write to the customer."""
        self._shop.run(
            lambda work: handoffs.write(work, self._handoff(work).id, self._name, text, uuid.uuid4().hex)
        )

    def hand_back(self, name: str) -> None:
        """Hand the conversation back to the bot."""
        self._shop.run(lambda work: handoffs.hand_back(work, self._handoff(work).id, name))

    def read(self, typed: str, expected: str, seconds: float = 30.0) -> str:
        """The customer types, and it arrives here; what the bot said meanwhile: nothing."""
        before = self._texts()
        answer = self._phone.system.post(self._phone.fields(typed))
        assert answer.status_code == 200, answer.text
        deadline = time.monotonic() + seconds
        while self._texts()[len(before) :] != [expected]:
            assert time.monotonic() < deadline, f"the staff read {self._texts()}"
            time.sleep(0.05)
        said = self._phone.unheard()
        assert said == "", f"the bot was not silent: {said}"
        return said

    def _texts(self) -> list[str]:
        lookup = pseudonym(self._phone.system, self._phone)

        def texts(work: Work) -> list[str]:
            customer = work.customers.find_by_lookup(lookup)
            found = work.thread_messages.find_by_customer(customer.id) if customer else []
            return [message.text for message in found]

        return self._shop.run(texts)

    def _handoff(self, work: Work) -> Handoff:
        customer = work.customers.find_by_lookup(pseudonym(self._phone.system, self._phone))
        handoff = work.handoffs.find_open(customer.id) if customer else None
        assert handoff is not None, "nobody has this conversation"
        return handoff
