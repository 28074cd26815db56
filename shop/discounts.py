"""Discounts by code."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from db.models import Cart, Discount, DiscountKind
from shop.errors import DiscountNeedsMore, NoDiscountCode, UnknownDiscount
from shop.pricing import DiscountTerms
from shop.work import Work

MOST_CHARACTERS = 32


def named_in(work: Work, words: Sequence[str]) -> Discount:
    """The discount whose code is the first of these words that holds now.

    Raises:
        UnknownDiscount: none holds; named after the last word that is a code (not yet or no more valid, or
            used up), else after the last that looks like one.
        NoDiscountCode: no word does.
    """
    quoted = [word.upper() for word in words if _looks_like_a_code(word)]
    over = []
    for word in words:
        discount = work.discounts.find_by_code(word)
        if discount is None:
            continue
        if _holds_now(work, discount):
            return discount
        over.append(discount.code)
    likely = over or quoted
    if not likely:
        raise NoDiscountCode()
    raise UnknownDiscount(likely[-1][:MOST_CHARACTERS])


def require_minimum(discount: Discount, items: Decimal, currency: str) -> None:
    """Refuse a discount for an order that is too small.

    Raises:
        DiscountNeedsMore
    """
    if items < discount.minimum_amount:
        raise DiscountNeedsMore(discount.code, discount.minimum_amount, currency)


def terms_for(work: Work, cart: Cart, items: Decimal) -> DiscountTerms | None:
    """What the cart's code takes off; None if there is none, or it does not hold for this cart."""
    if cart.discount_code is None:
        return None
    discount = work.discounts.find_by_code(cart.discount_code)
    if discount is None or not _holds_now(work, discount) or items < discount.minimum_amount:
        return None
    if discount.kind == DiscountKind.PERCENT:
        return DiscountTerms(discount.code, percent=discount.value)
    return DiscountTerms(discount.code, amount=discount.value)


def use(work: Work, code: str | None) -> None:
    """Count one use of a code, as an order is made.

    Raises:
        UnknownDiscount: another order took the last use meanwhile.
    """
    if code is None:
        return
    discount = work.discounts.find_by_code(code, lock=True)
    if discount is None or not _holds_now(work, discount):
        raise UnknownDiscount(code)
    discount.uses += 1


def use_again(work: Work, code: str | None) -> None:
    """Count the use of a code by an order that had come to nothing and is paid after all: the price that
    was promised holds, whatever became of the code meanwhile."""
    discount = work.discounts.find_by_code(code, lock=True) if code else None
    if discount is not None and (discount.most_uses is None or discount.uses < discount.most_uses):
        discount.uses += 1


def give_back(work: Work, code: str | None) -> None:
    """The order that used a code came to nothing."""
    discount = work.discounts.find_by_code(code, lock=True) if code else None
    if discount is not None and discount.uses > 0:
        discount.uses -= 1


def _looks_like_a_code(word: str) -> bool:
    return any(character.isdigit() for character in word) or (word.isupper() and len(word) >= 3)


def _holds_now(work: Work, discount: Discount) -> bool:
    begun = discount.starts_at is None or discount.starts_at <= work.now
    over = discount.ends_at is not None and discount.ends_at <= work.now
    used_up = discount.most_uses is not None and discount.uses >= discount.most_uses
    return begun and not over and not used_up
