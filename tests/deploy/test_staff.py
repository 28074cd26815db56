"""What the staff types until the console has screens for it: done, recorded, or refused in one line."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import make_url

from db.models import Order, OrderStatus, Payment, Refund, RefundStatus, StaffAction
from shop import cart, checkout
from shop.payments import flow
from shop.payments.interface import ProviderPayment
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.payments.settling import apply, lock_payment
from shop.service import Shop
from tests.deploy.conftest import run_program

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
Answer = tuple[int, str, str]


@pytest.fixture
def staff(sessions, database_url) -> Callable[..., Answer]:
    """Runs the program as `make staff` does; its exit code, output and errors."""
    environment = {
        "DATABASE_URL": database_url,
        "PAYMENT_PROVIDERS": "sandbox,bank_transfer,cash",
        "BANK_ACCOUNT": "Test Bank 0123456789",
    }

    def staff(*arguments: str, who: str = "ada", **changed: str) -> Answer:
        return run_program("deploy.staff", "--who", who, *arguments, **{**environment, **changed})

    return staff


@pytest.fixture
def place(shop, sandbox, customer, test_burger, clock) -> Callable[[str], checkout.PlacedOrder]:
    """Orders two burgers, 11825.00 with tax, to be paid in the way that is named."""
    providers = {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}
    policy = replace(shop.policy, payment_providers=tuple(providers), bank_account="Test Bank 0123456789")
    wide = Shop(shop.sessions, policy, shop.flags, providers, clock)

    def place(method: str) -> checkout.PlacedOrder:
        wide.run(lambda work: cart.add(work, customer, str(test_burger.id), 2))
        return wide.run(lambda work: checkout.place(work, customer, method))

    return place


@pytest.fixture
def paid(place, shop, sandbox) -> checkout.PlacedOrder:
    """An order that was paid online."""
    placed = place("sandbox")
    flow.open_payment(shop, placed.payment_reference)
    note = sandbox.settle(placed.payment_reference, "paid")
    assert flow.receive(shop, "sandbox", note.body, note.headers) == "verified"
    return placed


@pytest.fixture
def reviewed(place, shop) -> checkout.PlacedOrder:
    """A transfer of another amount came for it."""
    placed = place("bank_transfer")

    def settle(work):
        order, payment = lock_payment(work, placed.payment_reference)
        return apply(
            work, order, payment, ProviderPayment(placed.payment_reference, True, Decimal("11000.00"), "NGN")
        )

    assert shop.run(settle) == "review"
    return placed


@pytest.fixture
def recorded(sessions) -> Callable[[], list[tuple[str, str, str, dict]]]:
    """Who did what with which order, oldest first."""

    def recorded():
        with sessions() as session:
            numbers = {order.id: order.number for order in session.query(Order)}
            rows = session.query(StaffAction).order_by(StaffAction.created_at)
            return [(row.staff, row.action, numbers[row.order_id], row.details) for row in rows]

    return recorded


def stands(sessions, number: str) -> tuple[str, str]:
    with sessions() as session:
        order = session.query(Order).filter_by(number=number).one()
        return order.status.value, order.payments[-1].status.value


def test_an_order_is_moved_on_step_by_step(staff, place, sessions, recorded):
    number = place("cash").number
    assert staff("preparing", number) == (0, f"{number} is preparing\n", "")
    assert staff("ready", number.lower(), who="Bola Ade") == (0, f"{number.lower()} is ready\n", "")
    assert staff("completed", number) == (0, f"{number} is completed\n", "")
    assert stands(sessions, number) == ("completed", "verified"), "cash is counted when it is handed over"
    assert recorded() == [
        ("ada", "preparing", number, {}),
        ("Bola Ade", "ready", number, {}),
        ("ada", "completed", number, {}),
    ]
    with sessions() as session:
        assert session.query(Payment).one().confirmed_by == "ada"


def test_an_order_is_cancelled_with_a_reason(staff, place, sessions, recorded):
    number = place("cash").number
    assert staff("cancel", number, "oven is broken") == (0, f"{number} is cancelled\n", "")
    assert stands(sessions, number) == ("cancelled", "expired")
    assert recorded() == [("ada", "cancelled", number, {"reason": "oven is broken"})]


def test_a_transfer_is_confirmed(staff, place, sessions, recorded):
    placed = place("bank_transfer")
    assert staff("confirm-transfer", placed.payment_reference, "11825") == (0, "verified\n", "")
    assert stands(sessions, placed.number) == ("paid", "verified")
    details = {"amount": "11825", "outcome": "verified"}
    assert recorded() == [("ada", "confirmed transfer", placed.number, details)]
    assert staff("confirm-transfer", placed.payment_reference, "11825") == (0, "unchanged\n", "")
    assert len(recorded()) == 1


def test_another_amount_of_a_transfer_is_noted(staff, place, sessions, recorded):
    placed = place("bank_transfer")
    code, said, _ = staff("record-transfer", placed.payment_reference, "11000")  # and a warning is logged
    assert (code, said) == (0, "review\n")
    assert stands(sessions, placed.number) == ("review", "review")
    details = {"amount": "11000", "outcome": "review"}
    assert recorded() == [("ada", "recorded transfer", placed.number, details)]


def test_money_in_review_is_accepted(staff, reviewed, sessions, recorded):
    assert staff("accept", reviewed.number) == (0, f"{reviewed.number} is paid\n", "")
    assert stands(sessions, reviewed.number) == ("paid", "verified")
    assert recorded() == [("ada", "accepted payment", reviewed.number, {})]


@pytest.mark.parametrize(
    ("arguments", "amount"), [([], "11825.00"), (["--amount", "1825.00"], "1825.00")], ids=["all", "a part"]
)
def test_money_is_sent_back(staff, paid, sessions, recorded, arguments, amount):
    told = f"{amount} of {paid.number} goes back\n"
    assert staff("refund", paid.number, "it was cold", *arguments) == (0, told, "")
    assert recorded() == [("ada", "refund", paid.number, {"amount": amount, "reason": "it was cold"})]
    with sessions() as session:
        refund = session.query(Refund).one()
        assert (refund.status, refund.amount) == (RefundStatus.PENDING, Decimal(amount))
        assert (refund.requested_by, refund.reason) == ("ada", "it was cold")


@pytest.fixture
def failed_refund(staff, place, shop, sessions, clock) -> tuple[str, uuid.UUID]:
    """An order, and a refund of it that no provider can make."""
    placed = place("bank_transfer")
    staff("confirm-transfer", placed.payment_reference, "11825")
    staff("refund", placed.number, "it was cold")
    clock.now = datetime.now(UTC)  # the program goes by the real one
    assert flow.send_refunds(shop) == 1
    with sessions() as session:
        refund = session.query(Refund).one()
        assert refund.status == RefundStatus.FAILED
        return placed.number, refund.id


def test_a_refund_that_was_made_by_hand_is_done(staff, failed_refund, sessions, recorded):
    number, refund = failed_refund
    assert staff("refund-sent", str(refund), who="bola") == (0, f"refund {refund} is done\n", "")
    assert stands(sessions, number) == ("refunded", "refunded")
    who, action, about, details = recorded()[-1]
    assert (who, action, about) == ("bola", "refund sent", number)
    assert details == {"refund": str(refund), "amount": "11825.00"}
    assert staff("refund-sent", str(refund), who="bola") == (1, "", "chatcart: NoRefund\n"), "once"
    assert len(recorded()) == 3


def test_what_the_shop_refuses_is_one_line_and_changes_nothing(staff, place, paid, sessions, recorded):
    waiting = place("bank_transfer")
    before = stands(sessions, waiting.number), stands(sessions, paid.number)
    for arguments, told in (
        (["ready", waiting.number], f"CannotMove: number {waiting.number}, status awaiting_payment, wanted"),
        (["ready", "NOSUCH"], "NoOrder\n"),
        (["cancel", "NOSUCH", "no gas"], "NoOrder\n"),
        (["accept", paid.number], f"CannotMove: number {paid.number}, status paid, wanted paid"),
        (["confirm-transfer", paid.payment_reference, "11825"], "NothingToPay\n"),
        (
            ["confirm-transfer", str(waiting.payment_reference), "11000"],
            f"AmountDiffers: number {waiting.number}, expected 11825.00, got 11000",
        ),
        (["refund-sent", str(uuid.UUID(int=7))], "NoRefund\n"),
        (["refund", waiting.number, "cold"], f"CannotRefund: number {waiting.number}, left 0"),
        (
            ["refund", paid.number, "cold", "--amount", "11825.01"],
            f"CannotRefund: number {paid.number}, left 11825.00",
        ),
    ):
        code, output, errors = staff(*arguments)
        assert (code, output) == (1, ""), arguments
        assert errors.startswith(f"chatcart: {told}"), arguments
        assert errors.count("\n") == 1, arguments
    assert (stands(sessions, waiting.number), stands(sessions, paid.number)) == before
    assert recorded() == []


@pytest.mark.parametrize(
    ("arguments", "who"),
    [
        ([], "ada"),
        (["fry", "ABC234"], "ada"),
        (["cancel", "ABC234"], "ada"),
        (["refund-sent", "ABC234"], "ada"),
        (["confirm-transfer", "ABC234-K7PQ", "5,500"], "ada"),
        (["refund", "ABC234", "cold", "--amount", "all"], "ada"),
        (["refund", "ABC234", "cold", "--amount", "NaN"], "ada"),
        (["ready", "ABC234"], " "),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else None,
)
def test_what_makes_no_sense_is_explained(staff, arguments, who):
    code, output, errors = staff(*arguments, who=who)
    assert (code, output) == (2, "")
    assert errors.startswith("usage: make staff")
    assert "Traceback" not in errors


def test_no_database_is_one_line(staff):
    code, output, errors = staff("ready", "ABC234", DATABASE_URL="")
    assert (code, output) == (1, "")
    assert errors == "chatcart: DATABASE_URL: is not set; `make run` starts an embedded one\n"


def test_a_database_that_is_out_of_reach_is_one_line(staff):
    told = "chatcart: DATABASE_URL: the database is out of reach, or lets nobody in\n"
    assert staff("ready", "ABC234", DATABASE_URL=NOWHERE) == (1, "", told)


def test_a_database_that_refuses_is_one_line_that_quotes_no_value(staff, database_url):
    """A database of the server that nobody has prepared."""
    unprepared = make_url(database_url).set(database="postgres").render_as_string(hide_password=False)
    code, output, errors = staff("ready", "ABC234", DATABASE_URL=unprepared)
    assert (code, output) == (1, "")
    assert errors.startswith("chatcart: the database refused it: ProgrammingError 42P01 in: SELECT ")
    assert errors.count("\n") == 1
    assert "ABC234" not in errors


def test_every_way_an_order_can_go_on_can_be_typed():
    printed = subprocess.run(
        ["make", "--just-print", "staff", "DO=cancel ABC234 'oven is broken'", "WHO=ada"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "deploy.staff --who \"ada\" cancel ABC234 'oven is broken'" in printed
    documented = (ROOT / "deploy" / "staff.py").read_text()
    assert all(to.value in documented for to in (OrderStatus.PREPARING, OrderStatus.READY))
