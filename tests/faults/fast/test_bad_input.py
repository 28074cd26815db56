"""What makes no sense is refused by name, nothing is written: quantities, ids, numbers, others' orders."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from actions.server import make_executor
from db.models import Order, OrderStatus, Payment
from shop import cart, checkout, fulfilment, order_status, orders
from shop.cart_view import CartView
from shop.errors import (
    AmountDiffers,
    CannotMove,
    CannotRefund,
    InvalidInput,
    NoOrder,
    NotEnoughStock,
    NothingToPay,
    NotInCart,
    PaymentRejected,
    ProductGone,
    QuantityTooLarge,
    ShopError,
    SoldOut,
    UnknownOption,
    UnknownPaymentMethod,
)
from shop.payments import flow
from shop.quantities import MOST_PER_LINE, MOST_PER_ORDER
from tests.actions.tracker import Talk
from tests.faults.ledger import check_orders, check_stock, nothing_written
from tests.shop.lines import wanted
from whatsapp.identity import InvalidAddress, number_of
from whatsapp.inbound import MalformedRequest, parse_message

NOT_QUANTITIES = [
    "0", "-1", "-0.5", "0.5", "1.5", "101", "1e2000", "99999999999999999999", "NaN", "Infinity", "-Infinity",
    "", " ", "two", "1,5", "\0", "0x10", "١٠٠٠", None,
]  # fmt: skip
NO_IDS = [
    "",
    "x",
    str(uuid.uuid4()),
    "00000000-0000-0000-0000-000000000000",
    "'; DROP TABLE orders; --",
    "\0",
]


@pytest.fixture
def cake(make_product):
    """Five cakes."""
    return make_product(name="Cake", stock_quantity=5)


@pytest.fixture
def ada(make_buyers, cake):
    """A customer with one cake in the cart."""
    return make_buyers([[(cake, 1, ())]])[0]


@pytest.fixture
def refuse(scripted_shop, sessions):
    """Asks for something that has to be refused without a trace."""

    def refuse(who, error, operation, *args, **kwargs):
        def bound(work, customer):
            return operation(work, customer, *args, **kwargs)

        caller = who.says()
        for _ in range(2):
            with nothing_written(sessions), pytest.raises(error) as refusal:
                scripted_shop.execute(caller, operation.__name__, object, bound)
        return refusal.value

    return refuse


@pytest.mark.parametrize(
    ("command", "quantity"),
    [
        (command, quantity)
        for command in ("add", "set", "check")
        for quantity in NOT_QUANTITIES
        if (command, quantity) != ("set", "0")  # none of something in the cart takes it out
    ],
    ids=repr,
)
def test_what_is_no_quantity_is_refused(refuse, ada, cake, command, quantity):
    operations = {
        "add": (cart.add, str(cake.id), str(quantity)),
        "set": (cart.set_quantities, [wanted(str(cake.id), quantity)]),
        "check": (cart.check_quantity, str(cake.id), quantity),
    }
    assert isinstance(refuse(ada, InvalidInput, *operations[command]), InvalidInput)


@pytest.mark.parametrize("product_id", NO_IDS, ids=repr)
def test_an_unknown_product_is_refused(refuse, ada, product_id):
    refuse(ada, ProductGone, cart.add, product_id, "1")
    refuse(ada, ProductGone, cart.ask_quantity, product_id)
    refuse(ada, ProductGone, cart.check_quantity, product_id, "1")
    refuse(ada, NotInCart, cart.set_quantities, [wanted(product_id, "1", "x")])
    refuse(ada, NotInCart, cart.exchange, [wanted(product_id, name="x")], [])


@pytest.mark.parametrize("option", NO_IDS, ids=repr)
def test_an_unknown_option_is_refused(refuse, ada, cake, option):
    refuse(ada, UnknownOption, cart.add, str(cake.id), "1", (option,))
    refuse(ada, UnknownOption, cart.add, str(cake.id), "1", (), (option or "onions",))


def test_more_than_there_is_is_refused(refuse, ada, cake, make_product):
    gone = make_product(name="Pie", stock_quantity=0)
    off = make_product(name="Tart", available=False)
    assert refuse(ada, NotEnoughStock, cart.add, str(cake.id), "5").values["left"] == 5
    assert refuse(ada, NotEnoughStock, cart.set_quantities, [wanted(str(cake.id), "6")]).values["left"] == 5
    refuse(ada, SoldOut, cart.add, str(gone.id), "1")
    refuse(ada, SoldOut, cart.add, str(off.id), "1")


def test_more_than_a_line_or_an_order_may_hold_is_refused(refuse, make_buyers, make_product):
    products = [make_product(name=f"Bun {number}", stock_quantity=None) for number in range(6)]
    (greedy,) = make_buyers([[(one, MOST_PER_LINE, ()) for one in products[:5]]])
    for error in (
        refuse(greedy, QuantityTooLarge, cart.add, str(products[5].id), "1"),
        refuse(greedy, QuantityTooLarge, cart.add, str(products[0].id), "1"),
    ):
        assert error.values["limit"] in (MOST_PER_LINE, MOST_PER_ORDER)


@pytest.mark.parametrize("method", ["bitcoin", "", "Sandbox", "stripe", "\0"])
def test_an_unknown_way_to_pay_orders_nothing(refuse, scripted_shop, ada, sessions, method):
    scripted_shop.execute(ada.says(), "review", CartView, checkout.review)
    if method:
        refuse(ada, UnknownPaymentMethod, checkout.confirm, method)
        refuse(ada, UnknownPaymentMethod, checkout.place, method)
    with sessions() as session:
        assert session.query(Order).count() == 0


@pytest.mark.parametrize(
    "words", [[], [""], ["TEN"], ["'; --"], ["x" * 500]], ids=lambda words: str(words)[:12]
)
def test_an_unknown_code_is_refused(refuse, ada, words):
    refuse(ada, ShopError, cart.apply_discount, words)


@pytest.mark.parametrize("address", ["", " ", "x", "12", "\0" * 12])
def test_an_address_that_is_none_is_refused(refuse, ada, address):
    refuse(ada, ShopError, fulfilment.choose_delivery, address)


@pytest.mark.parametrize("when", ["", "yesterday", "in a year", "half past never", "\0", "32 o'clock"])
def test_a_time_that_is_none_is_refused(refuse, ada, when):
    refuse(ada, ShopError, fulfilment.order_ahead, when)


@pytest.mark.parametrize(
    "address",
    [
        "", "whatsapp:", "+", "whatsapp:+", "0", "08031234567", "+1", "+234", "+999999999999999",
        "+2348031234567890123", "whatsapp:+234803123456x7890123456",
        "+2348031234567;+2348031234568", "+٢",
        "javascript:1", "\0", "+" * 300, "9" * 300,
    ],
    ids=lambda address: repr(address[:40]),
)  # fmt: skip
def test_what_is_no_phone_number_is_nobody(settings, address):
    from whatsapp.identity import Identity

    with pytest.raises(InvalidAddress):
        number_of(address)
    fields = {"MessageSid": "SM1", "From": address, "Body": "hi"}
    with pytest.raises(MalformedRequest):
        parse_message(fields, Identity(settings.privacy), "+14155238886")


@pytest.fixture
def of_bola(scripted_shop, make_buyers, cake):
    """Another customer's order that awaits payment: number and reference."""
    (bola,) = make_buyers([[(cake, 2, ())]])
    placed = bola.confirms(scripted_shop).result.placed
    flow.open_payment(scripted_shop, placed.payment_reference)
    return placed


def test_anothers_order_is_as_unknown_as_none(refuse, ada, of_bola, scripted_shop, sessions):
    with sessions() as session:
        order_id = str(session.query(Order).one().id)
    known = [of_bola.number, of_bola.number.lower(), of_bola.payment_reference, order_id, "Bola", "Buyer"]
    for word in known:
        refuse(ada, NoOrder, orders.complete_payment, word)
        refuse(ada, NoOrder, orders.track, [word, word.upper()])
        refuse(ada, NoOrder, lambda work, who, word=word: orders.own_order(work, who, word))
    refuse(ada, NoOrder, orders.latest)
    refuse(ada, NoOrder, orders.cancel)
    refuse(ada, NoOrder, orders.repeat)
    refuse(ada, NothingToPay, orders.payment_state)


@pytest.mark.parametrize("action", ["action_track_order", "action_payment_done", "action_how_to_pay"])
async def test_nobody_hears_of_anothers_order_in_the_chat(
    scripted_shop, scripted, settings, ada, of_bola, sessions, action
):
    """Asked with its number, its reference, its id: neither is said, nor how it stands, nor asked about."""
    scripted.pay(of_bola.payment_reference)
    with sessions() as session:
        order_id = str(session.query(Order).one().id)
    talk = Talk(make_executor(scripted_shop, settings), ada.lookup, ada.address)
    asked = scripted.asked["read"]
    for word in (of_bola.number, of_bola.payment_reference, order_id):
        with nothing_written(sessions):
            answer = await talk.turn(action, f"is order {word} paid?", [{"entity": "word", "value": word}])
        for secret in (of_bola.number, of_bola.payment_reference, "11,825", "pay.example"):
            assert secret not in answer.text
    assert scripted.asked["read"] == asked, "nobody asked the provider about it"


@pytest.mark.parametrize(
    "reference", ["", "pay-0", "' OR 1=1 --", "pay-" + "0" * 10_000, "%", "ORDER-1"], ids=lambda one: one[:12]
)
def test_a_forged_reference_is_no_payment(scripted_shop, scripted, sessions, of_bola, reference):
    with nothing_written(sessions):
        for function in (flow.check, flow.open_payment):
            with pytest.raises(PaymentRejected, match="no such payment|without an id"):
                function(scripted_shop, reference)
        with pytest.raises(PaymentRejected, match="no such payment|without an id"):
            flow.receive(scripted_shop, "sandbox", *scripted.event(reference, "evt"))
        with pytest.raises(NothingToPay):
            scripted_shop.run(lambda work: order_status.confirm_transfer(work, reference, Decimal(1), "Ada"))


@pytest.mark.parametrize("currency", ["USD", "ngn", "", "XXX"])
def test_foreign_currency_is_never_taken_for_the_orders(
    scripted_shop, scripted, of_bola, sessions, cake, currency
):
    reference = of_bola.payment_reference
    scripted.pay(reference, None, currency or "???")
    assert flow.receive(scripted_shop, "sandbox", *scripted.event(reference, "evt")) == "review"
    with sessions() as session:
        assert session.query(Order).one().status == OrderStatus.REVIEW
        assert session.query(Payment).one().verified_at is None
        check_stock(session, {cake.id: 5})
        check_orders(session)


@pytest.mark.parametrize("amount", ["0", "-1", "-0.01", "0.001", "11825.01", "1e12", "NaN", "Infinity"])
def test_more_than_came_or_nonsense_never_goes_back(scripted_shop, scripted, of_bola, sessions, amount):
    reference = of_bola.payment_reference
    scripted.pay(reference)
    flow.receive(scripted_shop, "sandbox", *scripted.event(reference, "evt"))
    asked = Decimal(amount)
    with nothing_written(sessions), pytest.raises((CannotRefund, InvalidInput)):
        scripted_shop.run(lambda work: order_status.refund(work, of_bola.number, asked, "Ada", "x"))


@pytest.mark.parametrize("number", ["", "NONE99", "' OR 1=1 --"])
def test_staff_cannot_move_what_is_not_there(scripted_shop, sessions, of_bola, number):
    operations = (
        lambda work: order_status.advance(work, number, OrderStatus.READY, "Ada"),
        lambda work: order_status.cancel(work, number, "Ada", "x"),
        lambda work: order_status.accept_payment(work, number, "Ada"),
        lambda work: order_status.refund(work, number, None, "Ada", "x"),
    )
    for operation in operations:
        with nothing_written(sessions), pytest.raises(NoOrder):
            scripted_shop.run(operation)


def test_staff_cannot_move_an_order_backwards_or_unpaid(scripted_shop, sessions, of_bola):
    for to in OrderStatus:
        with nothing_written(sessions), pytest.raises(CannotMove):
            scripted_shop.run(lambda work, to=to: order_status.advance(work, of_bola.number, to, "Ada"))
    with nothing_written(sessions), pytest.raises(CannotMove):
        scripted_shop.run(lambda work: order_status.accept_payment(work, of_bola.number, "Ada"))


@pytest.mark.parametrize("amount", ["0", "-5912.50", "11824.99", "11825.01", "NaN", "1e20"])
def test_another_amount_confirms_no_transfer(make_replica, make_buyers, cake, sessions, amount):
    from shop.payments.offline import BankTransfer

    shop = make_replica(BankTransfer(), payment_providers=("bank_transfer",))
    placed = make_buyers([[(cake, 2, ())]])[0].confirms(shop).result.placed
    with nothing_written(sessions), pytest.raises(AmountDiffers):
        shop.run(
            lambda work: order_status.confirm_transfer(work, placed.payment_reference, Decimal(amount), "Ada")
        )
