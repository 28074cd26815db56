"""Who a number is to us: found by a pseudonym, answered through a seal, and never in clear."""

from __future__ import annotations

import base64

import pytest

from settings import PrivacySettings
from tests.environment import CUSTOMER_NUMBER
from whatsapp.identity import Identity, InvalidAddress, number_of

OLD_KEY, NEW_KEY = (base64.urlsafe_b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))


def identity_with(*keys: str, index_key: bytes = b"i" * 32) -> Identity:
    """An identity with these encryption keys."""
    return Identity(PrivacySettings(keys or (OLD_KEY,), index_key))


def test_a_customer_is_found_again_by_the_same_pseudonym_in_every_process():
    first, second = identity_with(OLD_KEY), identity_with(NEW_KEY)
    assert first.pseudonym(CUSTOMER_NUMBER) == second.pseudonym(CUSTOMER_NUMBER)
    assert first.pseudonym(CUSTOMER_NUMBER) != first.pseudonym("+2348031234568")


def test_who_has_not_the_key_cannot_compute_a_pseudonym():
    ours, theirs = identity_with(), identity_with(index_key=b"guess" * 8)
    assert ours.pseudonym(CUSTOMER_NUMBER) != theirs.pseudonym(CUSTOMER_NUMBER)


def test_neither_pseudonym_nor_seal_shows_the_number(identity):
    for shown in (identity.pseudonym(CUSTOMER_NUMBER), identity.seal(CUSTOMER_NUMBER)):
        assert CUSTOMER_NUMBER.lstrip("+") not in shown
        assert "8031234567" not in shown


def test_a_sealed_number_is_opened_again(identity):
    assert identity.unseal(identity.seal(CUSTOMER_NUMBER)) == CUSTOMER_NUMBER


def test_two_seals_of_one_number_cannot_be_told_to_be_the_same(identity):
    assert identity.seal(CUSTOMER_NUMBER) != identity.seal(CUSTOMER_NUMBER)


def test_when_keys_rotate_old_seals_are_still_opened_and_new_ones_use_the_new_key():
    sealed_before = identity_with(OLD_KEY).seal(CUSTOMER_NUMBER)
    rotating = identity_with(NEW_KEY, OLD_KEY)
    assert rotating.unseal(sealed_before) == CUSTOMER_NUMBER
    assert identity_with(NEW_KEY).unseal(rotating.seal(CUSTOMER_NUMBER)) == CUSTOMER_NUMBER


def test_a_key_that_is_gone_opens_nothing():
    sealed = identity_with(OLD_KEY).seal(CUSTOMER_NUMBER)
    with pytest.raises(InvalidAddress):
        identity_with(NEW_KEY).unseal(sealed)


@pytest.mark.parametrize("place", [0, 20, -10])
def test_an_altered_seal_is_refused(identity, place):
    sealed = list(identity.seal(CUSTOMER_NUMBER))
    sealed[place] = "A" if sealed[place] != "A" else "B"
    with pytest.raises(InvalidAddress):
        identity.unseal("".join(sealed))


@pytest.mark.parametrize("address", ["", "not a token", CUSTOMER_NUMBER, "gAAAAA", "ключ"])
def test_what_was_never_sealed_is_refused_without_repeating_it(identity, address):
    with pytest.raises(InvalidAddress) as refusal:
        identity.unseal(address)
    assert CUSTOMER_NUMBER not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        "whatsapp:+2348031234567",
        "+2348031234567",
        " +2348031234567 ",
        "whatsapp:+234 803 123 4567",
        "whatsapp:+234-803-123-4567",
    ],
)
def test_the_number_of_an_address_has_one_form(address):
    assert number_of(address) == CUSTOMER_NUMBER


@pytest.mark.parametrize(
    "address",
    [
        "",
        "whatsapp:",
        "whatsapp:US.1234567890",
        "08031234567",
        "whatsapp:+234",
        "+1",
        "+" + "9" * 40,
        "hello",
    ],
)
def test_an_address_without_a_possible_number_is_refused_without_repeating_it(address):
    with pytest.raises(InvalidAddress) as refusal:
        number_of(address)
    assert not address or address not in str(refusal.value)


def test_sealed_anew_a_number_needs_the_first_key_alone():
    old = identity_with(OLD_KEY).seal(CUSTOMER_NUMBER)
    resealed = identity_with(NEW_KEY, OLD_KEY).reseal(old)
    assert identity_with(NEW_KEY).unseal(resealed) == CUSTOMER_NUMBER
    assert identity_with(NEW_KEY, OLD_KEY).reseal(resealed) == resealed, "and stays as it is from then on"
    with pytest.raises(InvalidAddress):
        identity_with(NEW_KEY).reseal(old)
