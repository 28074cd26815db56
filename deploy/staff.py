"""`make staff DO="..." WHO=...`: what the staff does with orders, until the console has screens for it.

DO="preparing ABC234"                   and ready, completed: move an order on
DO="cancel ABC234 'oven is broken'"     units for sale again, money back
DO="confirm-transfer ABC234-K7PQ 5500"  the money of a bank transfer was seen on the account
DO="record-transfer ABC234-K7PQ 5000"   another amount came: the order is in review
DO="accept ABC234"                      take the money of an order in review for what it is
DO="refund ABC234 'cold' --amount 500"  send money back, all of it unless an amount is named
DO="refund-sent 0b1f..."                a refund that no provider can make was made by hand
"""

from __future__ import annotations

import argparse
import re
import uuid
from collections.abc import Callable
from decimal import Decimal

from db.models import OrderStatus
from deploy.opened_shop import database_failures_in_a_line
from settings import exit_with, read_settings_or_exit
from shop import order_status, refunds
from shop.assembly import make_shop
from shop.errors import ShopError
from shop.work import Work


def main() -> None:
    """Carry out one decision; a refusal, or no database, is one line and exit code 1."""
    chosen = _parser().parse_args()
    shop = make_shop(read_settings_or_exit())
    try:
        with database_failures_in_a_line():
            done = shop.once(f"staff:{uuid.uuid4()}", chosen.action, str, _operation(chosen))
    except ShopError as refusal:
        exit_with(_told(refusal))
    print(done)


def _told(refusal: ShopError) -> str:
    """What was refused, with its values if it has any: `CannotRefund: number ABC234, left 0`."""
    values = ", ".join(f"{name} {value}" for name, value in refusal.values.items())
    return f"{type(refusal).__name__}: {values}" if values else type(refusal).__name__


def _operation(chosen: argparse.Namespace) -> Callable[[Work], str]:
    """The shop function for what was typed; its result as a line."""

    def operation(work: Work) -> str:
        match chosen.action:
            case "cancel":
                order_status.cancel(work, chosen.number, chosen.who, chosen.reason)
                return f"{chosen.number} is cancelled"
            case "confirm-transfer":
                return order_status.confirm_transfer(work, chosen.reference, chosen.amount, chosen.who)
            case "record-transfer":
                return order_status.record_transfer(work, chosen.reference, chosen.amount, chosen.who)
            case "accept":
                order_status.accept_payment(work, chosen.number, chosen.who)
                return f"{chosen.number} is paid"
            case "refund":
                sent = order_status.refund(work, chosen.number, chosen.amount, chosen.who, chosen.reason)
                return f"{sent} of {chosen.number} goes back"
            case "refund-sent":
                refunds.finish_by_hand(work, chosen.refund, chosen.who)
                return f"refund {chosen.refund} is done"
        to = order_status.advance(work, chosen.number, OrderStatus(chosen.action), chosen.who)
        return f"{chosen.number} is {to.value}"

    return operation


def _amount(typed: str) -> Decimal:
    if not re.fullmatch(r"\d{1,10}(\.\d{1,2})?", typed):
        raise argparse.ArgumentTypeError("is not an amount such as 5500 or 5500.00")
    return Decimal(typed)


def _name(typed: str) -> str:
    if not typed.strip():
        raise argparse.ArgumentTypeError("is empty; WHO=ada says who decides")
    return typed.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make staff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--who", required=True, type=_name, help="who decides: it is recorded")
    actions = parser.add_subparsers(dest="action", required=True)
    for status in (OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED):
        actions.add_parser(status.value).add_argument("number")
    cancel = actions.add_parser("cancel")
    cancel.add_argument("number")
    cancel.add_argument("reason")
    for name in ("confirm-transfer", "record-transfer"):
        transfer = actions.add_parser(name)
        transfer.add_argument("reference")
        transfer.add_argument("amount", type=_amount)
    actions.add_parser("accept").add_argument("number")
    refund = actions.add_parser("refund")
    refund.add_argument("number")
    refund.add_argument("reason")
    refund.add_argument("--amount", type=_amount)
    actions.add_parser("refund-sent").add_argument("refund", type=uuid.UUID)
    return parser


if __name__ == "__main__":
    main()
