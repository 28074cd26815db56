"""One customer's whole conversation, from the greeting to a cancelled order: every function that a
customer reaches, called as the actions call it.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from random import Random
from typing import Concatenate, ParamSpec, TypeVar, get_type_hints

from db.models import Customer
from shop import cart, catalogue, checkout, customers, fulfilment, orders, outbox, receipts
from shop import conversation as states
from shop.cart_lines import WantedLine
from shop.payments import flow
from shop.payments.sandbox import SandboxProvider
from shop.service import Caller, Shop
from shop.work import Work

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def product_id(number: int) -> str:
    """The id of a product of the large shop."""
    return str(uuid.UUID(_hash("product", number)))


def lookup(number: int) -> str:
    """The pseudonym of a customer of the large shop."""
    return _hash("number", number) + _hash("hmac", number)


def _hash(kind: str, number: int) -> str:
    return hashlib.md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest()


class Talk:
    """A customer at the shop. `random` chooses products, words and categories.

    Args:
        name: the customer's pseudonym, known or new.
    """

    def __init__(self, shop: Shop, name: str, sizes: dict[str, int], random: Random) -> None:
        self._shop = shop
        self._name = name
        self._sizes = sizes
        self._random = random

    def whole(self) -> None:
        """Everything, in the order in which a customer might do it."""
        self.browse()
        self.fill_cart()
        self.change_cart()
        placed = self.order()
        self.pay(placed)
        self.look_back(placed.number)
        self.order_again_and_cancel()
        self.leave()

    def greet(self) -> None:
        """A session starts."""
        self._do(states.start_session)

    def browse(self) -> None:
        """Greeting, menu, category, search, pick, how many."""
        self.greet()
        menu = self._do(catalogue.show_menu)
        number = str(self._random.randint(1, len(menu.choices)))
        self._do(catalogue.choose_number, number, menu.choices)
        self._do(catalogue.show_menu, menu.choices[0].name.upper())
        asked = self._product()
        self._do(catalogue.search, [product_id(asked)], f"dish {asked}")
        self._do(catalogue.search, [], f"dihs {asked}")
        self._do(catalogue.select, [product_id(asked)], "")
        self._do(cart.ask_quantity, product_id(asked))
        self._look(cart.check_quantity, product_id(asked), "2")

    def fill_cart(self) -> None:
        """What is added first is dropped again, so that it is the same from whatever cart it starts."""
        self._do(cart.clear)
        self._do(cart.add, product_id(self._product()), "2")
        lines = [WantedLine((product_id(self._product()),), "", "2") for _ in range(3)]
        self._do(cart.add_lines, lines)
        self._look(cart.current)

    def change_cart(self) -> None:
        """Quantities, options, removals, undone and done, and a discount."""
        first = str(self._look(cart.current).lines[0].product_id)
        self._do(cart.set_quantities, [WantedLine((first,), "", "5")])
        without = WantedLine((first,), "", "1", (), ("onions",))
        self._do(cart.change_options, without)
        self._do(cart.exchange, [WantedLine((), "", None)], [])
        self._do(cart.undo)
        self._do(cart.apply_discount, ["please", f"SAVE{self._random.randint(1, 200)}"])
        self._do(fulfilment.choose_pickup)
        self._do(fulfilment.order_ahead, "tomorrow 6pm")
        self._look(fulfilment.opening)
        self._do(customers.choose_language, "english please")

    def order(self) -> checkout.PlacedOrder:
        """Checkout: begun, declined, begun again, shown, and confirmed."""
        self._do(checkout.begin)
        self._do(checkout.decline)
        self._do(checkout.begin)
        self._do(checkout.review)
        outcome = self._do(checkout.confirm, "sandbox")
        assert outcome.placed is not None and outcome.placed.payment_reference is not None
        flow.open_payment(self._shop, outcome.placed.payment_reference)
        return outcome.placed

    def pay(self, placed: checkout.PlacedOrder) -> None:
        """Paid at the sandbox, told by its notification, and the customer told."""
        assert placed.payment_reference is not None
        self._look(orders.payment_state)
        flow.check(self._shop, placed.payment_reference)
        sandbox = self._shop.providers["sandbox"]
        assert isinstance(sandbox, SandboxProvider)
        notification = sandbox.settle(placed.payment_reference, "paid")
        outcome = flow.receive(self._shop, "sandbox", notification.body, notification.headers)
        assert outcome == "verified", outcome
        notices = self._shop.run(lambda work: outbox.pending(work, 50))
        self._shop.run(lambda work: outbox.mark_dispatched(work, notices))
        self._do(outbox.take_pending)
        self._do(orders.complete_payment, placed.number)

    def look_back(self, number: str) -> None:
        """Where is my order, this one and the latest; its receipt and the receipt's page."""
        self._look(orders.track, ["order", number])
        state = self._look(orders.track, ["where", "is", "my", "order"])
        assert state.receipt_token is not None
        token = state.receipt_token
        self._shop.run(lambda work: receipts.find(work, token))

    def order_again_and_cancel(self) -> None:
        """The same again; first unpaid and cancelled, then changed while unpaid, which cancels it, too."""
        self._do(orders.repeat)
        self._do(checkout.review)
        self._do(checkout.confirm, "sandbox")
        self._do(orders.cancel)
        self._do(checkout.review)
        self._do(checkout.confirm, "sandbox")
        self.greet()
        self._do(cart.add, product_id(self._product()), "1")

    def leave(self) -> None:
        """Begin anew, and ask for no more messages."""
        self._do(cart.start_over)
        self._do(customers.stop_notices)

    def _product(self) -> int:
        return self._random.randint(1, self._sizes["products"])

    def _caller(self) -> Caller:
        return Caller(self._name, f"SM{secrets.token_hex(16)}", 1, f"sealed {self._name}", "Ada")

    def _do(
        self,
        operation: Callable[Concatenate[Work, Customer, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """A command, recorded as one."""

        def bound(work: Work, customer: Customer) -> Result:
            return operation(work, customer, *args, **kwargs)

        command = f"bench:{operation.__name__}"
        result_type: type[Result] = get_type_hints(operation)["return"]
        return self._shop.execute(self._caller(), command, result_type, bound).result

    def _look(
        self,
        operation: Callable[Concatenate[Work, Customer, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """A question, not recorded."""
        caller = self._caller()
        return self._shop.run(lambda work: operation(work, caller.recognised(work), *args, **kwargs))
