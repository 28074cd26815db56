"""`make owner`: the way into the console, and back into it."""

from __future__ import annotations

import subprocess

import pytest

from shop import sign_in
from shop.errors import WrongCredentials
from shop.sign_in import Attempt
from shop.staff import Passwords
from tests.deploy.conftest import run_program
from tests.environment import STAFF_PASSWORD


@pytest.fixture
def make_owner(sessions, database_url):
    """Runs the program with a password on standard input; its exit code, output and errors."""

    def make_owner(name: str, password: str = STAFF_PASSWORD) -> tuple[int, str, str]:
        return run_program("deploy.owner", "--", name, typed=f"{password}\n", DATABASE_URL=database_url)

    return make_owner


def test_the_first_owner_signs_in(make_owner, shop):
    code, told, errors = make_owner("Ada")
    assert (code, errors) == (0, "")
    assert told == "chatcart: Ada owns the shop; sign in at http://127.0.0.1:4000/console\n"
    assert sign_in.sign_in(shop, Passwords(), b"key", Attempt("ada", STAFF_PASSWORD, "10.0.0.1"))


def test_who_forgot_the_password_gets_another(make_owner, shop):
    make_owner("Ada")
    assert make_owner("ada", "quite another phrase")[0] == 0
    with pytest.raises(WrongCredentials):
        sign_in.sign_in(shop, Passwords(), b"key", Attempt("Ada", STAFF_PASSWORD, "10.0.0.1"))
    assert sign_in.sign_in(shop, Passwords(), b"key", Attempt("Ada", "quite another phrase", "10.0.0.1"))


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        ("", STAFF_PASSWORD, "chatcart: name: A name has"),
        ("<b>", STAFF_PASSWORD, "chatcart: name: A name has"),
        ("Ada", "short", "chatcart: password: A password has 10 characters"),
        ("Ada", "", "chatcart: password: A password has 10 characters"),
        ("Ada", "password123", "chatcart: password: That password is among"),
    ],
)
def test_what_cannot_be_is_one_line(make_owner, name, password, reason):
    code, told, errors = make_owner(name, password)
    assert (code, told) == (1, "") and errors.startswith(reason) and errors.count("\n") == 1


def test_the_password_is_in_no_command_line():
    told = subprocess.run(
        ["make", "--just-print", "owner", "NAME=ada"], capture_output=True, text=True, check=False
    )
    assert "deploy.owner" in told.stdout and "assword" not in told.stdout
