"""Brings stored numbers and look-up values in line with the keys: `make rotate-keys`, or

    python -m deploy.rotate_keys

Numbers are encrypted anew with the first of PHONE_ENCRYPTION_KEYS. Look-up values are prepared for
PHONE_INDEX_KEY_NEXT where it is set, else brought to PHONE_INDEX_KEY. Can be run at any time and as
often as one likes; docs/operators.md has the steps in their order. Exit code 1: something is left.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

from deploy.opened_shop import opened_shop
from settings import PrivacySettings, read_settings_or_exit
from shop.key_rotation import Change, Rotated, Unreadable, adopt_lookup, encrypt_anew, prepare_lookup, rotate
from whatsapp.identity import Identity, InvalidAddress


def main() -> None:
    """Do what is left to do, and say what was done."""
    settings = read_settings_or_exit()
    with opened_shop(settings) as shop:
        parts = [(name, rotate(shop, change)) for name, change in _changes(settings.privacy)]
    for name, rotated in parts:
        _report(name, rotated)
    if not all(rotated.is_complete for _, rotated in parts):
        raise SystemExit(1)


def _changes(privacy: PrivacySettings) -> list[tuple[str, Change]]:
    identity = Identity(privacy)
    numbers = ("numbers encrypted with the first key", encrypt_anew(_or_unreadable(identity.reseal)))
    if privacy.phone_index_key_next is None:
        return [numbers, ("look-up values of the present key", adopt_lookup(_pseudonym(identity, identity)))]
    following = Identity(replace(privacy, phone_index_key=privacy.phone_index_key_next))
    return [numbers, ("look-up values of the next key", prepare_lookup(_pseudonym(identity, following)))]


def _pseudonym(opens: Identity, names: Identity) -> Callable[[str], str]:
    """From an encrypted number to its pseudonym."""
    return _or_unreadable(lambda token: names.pseudonym(opens.unseal(token)))


def _or_unreadable(convert: Callable[[str], str]) -> Callable[[str], str]:
    def converted(token: str) -> str:
        try:
            return convert(token)
        except InvalidAddress:
            raise Unreadable() from None

    return converted


def _report(name: str, rotated: Rotated) -> None:
    print(f"chatcart: {name}: {rotated.changed} changed, {rotated.kept} were so already")
    if rotated.busy:
        print(f"chatcart: {name}: {rotated.busy} in use just now; run it again", file=sys.stderr)
    for customer_id in rotated.unreadable:
        print(f"chatcart: customer {customer_id}: none of the keys opens the number", file=sys.stderr)
    for customer_id in rotated.twice:
        print(f"chatcart: customer {customer_id}: made twice; left under the old key", file=sys.stderr)


if __name__ == "__main__":
    main()
