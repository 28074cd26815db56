"""Commands: carried out at most once, and answered alike however often they are asked."""

from __future__ import annotations

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db.models import (
    Base,
    CommandResult,
    DiscountKind,
    HandoffReason,
    MessageKind,
    MisunderstandingKind,
    OrderStatus,
    Product,
    StateChange,
)
from shop import (
    cart,
    catalogue,
    checkout,
    conversation,
    customers,
    fulfilment,
    handoffs,
    misunderstandings,
    order_status,
    orders,
    outbox,
    privacy,
)
from shop.cart import CartChange
from shop.cart_lines import WantedLine
from shop.cart_view import CartView
from shop.errors import NotEnoughStock, QuantityTooSmall
from shop.misunderstandings import Noticed
from shop.service import Done, Shop
from tests.shop.lines import wanted

ACTIONS = Path(__file__).parents[2] / "actions"

Execute = Callable[..., Done]


@pytest.fixture
def execute(shop) -> Execute:
    """Carries out a shop function as a command under its own name."""

    def execute(caller: Any, result_type: Any, operation: Callable[..., Any], *args: Any) -> Done:
        return shop.execute(
            caller, operation.__name__, result_type, lambda work, who: operation(work, who, *args)
        )

    return execute


@pytest.fixture
def rows(sessions) -> Callable[[], dict[str, int]]:
    """How many rows every table has now."""

    def rows() -> dict[str, int]:
        with sessions.begin() as session:
            tables = Base.metadata.sorted_tables
            return {t.name: session.scalar(select(func.count()).select_from(t)) for t in tables}

    return rows


def test_asked_again_it_answers_the_same_and_changes_nothing(execute, caller, test_burger, rows):
    """The action server crashed after the commit: Rasa asks once more."""
    who = caller()
    first = execute(who, CartChange, cart.add, str(test_burger.id), "2")
    before = rows()
    for _ in range(3):
        assert execute(who, CartChange, cart.add, str(test_burger.id), "2") == first
    assert rows() == before
    assert first.result.cart.lines[0].quantity == 2
    assert first.state == "ADDING_TO_CART"


def test_the_recorded_answer_holds_even_when_the_world_went_on(execute, caller, test_burger):
    who = caller()
    first = execute(who, CartChange, cart.add, str(test_burger.id), "2")
    execute(caller(), cart.Exchanged, cart.set_quantities, [wanted(str(test_burger.id), "7")])
    assert execute(who, CartChange, cart.add, str(test_burger.id), "2") == first
    assert execute(caller(), CartView, checkout.review).result.lines[0].quantity == 7


@pytest.mark.parametrize("other", [{"message_id": "SM-two"}, {"message_id": "SM-one", "command_number": 2}])
def test_another_message_or_number_is_another_command(execute, caller, test_burger, other):
    execute(caller(message_id="SM-one"), CartChange, cart.add, str(test_burger.id), "2")
    second = execute(caller(**other), CartChange, cart.add, str(test_burger.id), "2")
    assert second.result.cart.lines[0].quantity == 4


def test_another_command_of_the_same_turn_is_carried_out(execute, caller, test_burger):
    who = caller()
    execute(who, CartChange, cart.add, str(test_burger.id), "2")
    assert execute(who, CartView, checkout.review).state == "REVIEWING_ORDER"


def test_a_refusal_records_nothing(execute, caller, test_burger, rows):
    who = caller()
    before = rows()
    for _ in range(2):
        with pytest.raises(QuantityTooSmall):
            execute(who, CartChange, cart.add, str(test_burger.id), "0")
    assert rows() == before, "not even the customer, who is made anew by the next command"
    assert execute(who, CartChange, cart.add, str(test_burger.id), "1").result.quantity == 1


def test_a_crash_in_the_middle_writes_nothing(execute, caller, test_burger, rows):
    def add_then_crash(work, who):
        cart.add(work, who, str(test_burger.id), 2)
        raise RuntimeError("power cut")

    before = rows()
    with pytest.raises(RuntimeError):
        execute(caller(), CartChange, add_then_crash)
    assert rows() == before


def test_state_changes_carry_the_message_that_caused_them(execute, caller, sessions):
    execute(caller(message_id="SM-menu"), catalogue.Choices, catalogue.show_menu)
    with sessions.begin() as session:
        assert session.query(StateChange).one().message_id == "SM-menu"


def at_once(threads: int, do: Callable[[], Any]) -> list[Any]:
    """Results (or errors) of the same thing done by several threads at the same moment."""
    barrier = Barrier(threads)

    def run(_: int) -> Any:
        barrier.wait(10)
        try:
            return do()
        except Exception as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@pytest.mark.parametrize("known_before", [True, False])
def test_two_threads_with_the_same_command_have_one_effect(
    execute, caller, test_burger, sessions, known_before
):
    """Two replicas took the same message; for a new customer even the customer's row is raced for."""
    if known_before:
        execute(caller(), conversation.Session, conversation.start_session)
    who = caller()
    done = at_once(2, lambda: execute(who, CartChange, cart.add, str(test_burger.id), "2"))
    assert done[0] == done[1]
    assert done[0].result.cart.lines[0].quantity == 2
    with sessions.begin() as session:
        assert session.query(CommandResult).filter_by(message_id=who.message_id).count() == 1


def test_the_slower_of_two_is_told_what_was_done_not_what_is_left(execute, caller, make_product):
    """Both want 3 of 5: the second try of the same command must not count as three more."""
    last = make_product(name="Cake", stock_quantity=5)
    execute(caller(), conversation.Session, conversation.start_session)
    for _ in range(5):
        who = caller()
        done = at_once(2, lambda who=who: execute(who, CartChange, cart.add, str(last.id), "3"))
        assert done[0] == done[1]
        with pytest.raises(NotEnoughStock):
            execute(caller(), CartChange, cart.add, str(last.id), "3")
        execute(caller(), CartChange, cart.clear)


def test_every_result_comes_back_from_its_record_as_it_was(shop, clock, caller, pay, make_product):
    """One conversation with every command that actions give; each is asked twice."""
    rates = {"reduced": Decimal("0.05")}
    policy = replace(shop.policy, delivery_fee=Decimal("500.00"), tax_classes=rates)
    shop = Shop(shop.sessions, policy, shop.flags, shop.providers, clock)
    burger = make_product(
        description="Juicy", picture="bur-001.jpg", aliases=["hamburger"], removable=["onions", "salt"]
    )
    make_product(name="Chapman", category="Drinks", price=Decimal("1500.50"), stock_quantity=None)
    large, cheese = shop.run(lambda work: options_of(work, burger))
    shop.run(lambda work: work.discounts.create(code="TEN", kind=DiscountKind.PERCENT, value=Decimal(10)))
    product = str(burger.id)
    line = WantedLine((product,), "burger", "2", (large, cheese), ("onions",))
    seen, asked = set(), set()

    def twice(result_type: Any, operation: Callable[..., Any], *args: Any) -> Any:
        who = caller(number="+2348030000001")

        def bound(work, customer):
            return operation(work, customer, *args)

        first = shop.execute(who, operation.__name__, result_type, bound)
        again = shop.execute(who, operation.__name__, result_type, bound)
        assert again == first
        assert type(again.result) is type(first.result)
        read = repr(again.result).replace("TzInfo(0)", "datetime.timezone.utc")
        assert read == repr(first.result), "equal down to types and trailing zeros"
        seen.add(result_type.__name__ if isinstance(result_type, type) else str(result_type))
        asked.add(f"{operation.__module__}.{operation.__name__}")
        return first.result

    twice(conversation.Session, conversation.start_session)
    twice(customers.LanguageChoice, customers.choose_language, "English please")
    twice(customers.LanguageChoice, customers.choose_language, "Klingon")
    twice(type(None), customers.stop_notices)
    unclear = Noticed(MisunderstandingKind.FALLBACK, "GREETING", "zxqv", confidence=Decimal("0.25"))
    twice(type(None), misunderstandings.note, unclear)
    shown = twice(catalogue.Choices, catalogue.show_menu)
    twice(catalogue.Choices, catalogue.show_menu, "Drinks")
    twice(catalogue.Choices, catalogue.search, [], "burger")
    twice(catalogue.Selection, catalogue.choose_number, "1", shown.choices)
    twice(catalogue.Selection, catalogue.select, [product], "burger")
    details = twice(catalogue.ProductDetails, cart.ask_quantity, product)
    assert [group.name for group in details.option_groups] == ["Size", "Extras"]
    twice(CartChange, cart.add, product, "2")
    twice(CartChange, cart.add_lines, [line])
    twice(cart.Exchanged, cart.exchange, [WantedLine((), "", "1")], [line])
    twice(cart.Exchanged, cart.set_quantities, [wanted(product, "3")])
    twice(cart.Exchanged, cart.exchange, [wanted(product)], [])
    twice(CartView, cart.undo)
    twice(CartChange, cart.add_again, wanted(None, "1"))
    twice(CartChange, cart.clear)
    twice(CartChange, cart.clear, [line])
    twice(type(None), cart.start_over)
    twice(CartChange, cart.add_lines, [line])
    twice(CartChange, cart.change_options, WantedLine((product,), "", "1", (), ("salt",)))
    twice(CartView, cart.apply_discount, ["code", "ten"])
    twice(checkout.Handover, checkout.begin)
    twice(CartView, fulfilment.choose_pickup)
    twice(CartView, fulfilment.choose_delivery, "12 Allen Avenue, Ikeja")
    assert twice(CartView, fulfilment.order_ahead, "tomorrow 6pm").scheduled_for is not None
    reviewed = twice(CartView, checkout.review)
    assert len(reviewed.lines) == 2
    assert reviewed.totals.discount > 0
    assert reviewed.totals.delivery_fee == Decimal("500.00")
    twice(CartView, checkout.decline)
    shop.run(lambda work: work.products.update(burger.id, price=Decimal("5600.00"), tax_class="reduced"))
    changed = twice(checkout.Confirmation, checkout.confirm)
    assert {change.kind for change in changed.changes} == {"price"}
    assert twice(checkout.Confirmation, checkout.confirm).placed is not None
    twice(orders.CancelledOrder, orders.cancel)
    twice(CartView, checkout.review)
    placed = twice(checkout.Confirmation, checkout.confirm, "sandbox").placed
    assert pay(placed) == "verified"
    told = twice(list[outbox.Notice], outbox.take_pending)
    assert [notice.event for notice in told] == ["payment_confirmed"]
    assert twice(list[outbox.Notice], outbox.take_pending) == []
    twice(orders.OrderState, orders.complete_payment, placed.number)
    twice(CartChange, orders.repeat)
    twice(type(None), orders.return_to_cart)
    shop.run(lambda work: order_status.advance(work, placed.number, OrderStatus.COMPLETED, "Ada"))
    assert not twice(handoffs.Called, handoffs.call, HandoffReason.ASKED, "A person, please").already
    handoff = shop.run(lambda work: work.handoffs.find_all_open(1)[0].id)
    shop.run(lambda work: handoffs.take(work, handoff, "Ada"))
    twice(type(None), conversation.leave_question)
    twice(type(None), misunderstandings.answer_proposal, True)
    assert twice(handoffs.PassedOn, handoffs.pass_on, MessageKind.TEXT, "Where is it?").arrived
    shop.run(lambda work: handoffs.hand_back(work, handoff, "Ada"))
    assert twice(bool, handoffs.is_end_news, str(handoff))
    assert twice(privacy.Erasure, privacy.erase).carts_deleted > 0

    types, operations = commands_of_actions()
    assert {kind.rsplit(".", 1)[-1] for kind in seen} >= types
    assert {name.rsplit(".", 1)[-1] for name in asked} >= operations


def options_of(work: Any, product: Product) -> tuple[str, str]:
    """Give a product a size and an extra; the ids of the large one and of the cheese."""
    row = work.products.find_by_id(product.id)
    size = work.option_groups.create(name="Size", required=True)
    extras = work.option_groups.create(name="Extras", most=3)
    row.option_groups += [size, extras]
    values = (
        {"group_id": size.id, "name": "Small", "position": 1},
        {"group_id": size.id, "name": "Large", "position": 2, "price_difference": Decimal("1000.00")},
        {"group_id": extras.id, "name": "Cheese", "position": 1, "price_difference": Decimal("250.50")},
    )
    _, large, cheese = (work.options.create(**value) for value in values)
    return str(large.id), str(cheese.id)


def commands_of_actions() -> tuple[set[str], set[str]]:
    """What actions pass to `conversation.do`: last names of result types, and of operations."""
    types, operations = set(), set()
    for file in ACTIONS.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="conversation"), attr="do"),
                    args=[kind, operation, *_],
                ):
                    types.add(ast.unparse(kind).rsplit(".", 1)[-1])
                    operations.add(ast.unparse(operation).rsplit(".", 1)[-1])
    types = {"NoneType" if name == "type(None)" else name for name in types}
    assert len(types) >= 10, "the actions are no longer read as they are written"
    return types, operations


@pytest.mark.parametrize(("sql_state", "tries"), [("23505", 2), ("23503", 1), ("23514", 1), ("23502", 1)])
def test_only_a_lost_race_is_tried_again(shop, sql_state, tries):
    """What somebody else wrote first is there the next time; what the schema forbids stays forbidden."""

    class Told(Exception):
        pgcode = sql_state

    tried = []

    def operation(work):
        tried.append(work)
        if len(tried) == 1:
            raise IntegrityError("INSERT", {}, Told())
        return "done"

    if tries == 1:
        with pytest.raises(IntegrityError):
            shop.run(operation)
    else:
        assert shop.run(operation) == "done"
    assert len(tried) == tries
