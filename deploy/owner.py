"""`make owner NAME=ada`: makes the first owner of the console, or gives an owner another password.

The password is read from the terminal, or from the first line of standard input: a command line is seen
by everybody on the machine and kept in histories.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from functools import partial

from deploy.opened_shop import opened_shop
from settings import exit_with, read_settings_or_exit
from shop import staff
from shop.errors import BadInput
from shop.staff import Passwords


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the owner that the command line names."""
    parser = argparse.ArgumentParser(prog="make owner", description="Makes an owner of the console.")
    parser.add_argument("name", metavar="NAME", help="by which the owner signs in")
    chosen = parser.parse_args(arguments)
    settings = read_settings_or_exit()
    try:
        name = staff.check_name(chosen.name)
        password = _read_password()
        staff.check_password(name, password)
    except BadInput as refusal:
        exit_with(f"{refusal.values['field']}: {refusal.values['reason']}")
    with opened_shop(settings) as shop:
        hashed = Passwords().hash(password)
        member = shop.run(partial(staff.make_owner, name=name, password_hash=hashed))
    print(f"chatcart: {member.name} owns the shop; sign in at {settings.public_base_url}/console")


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        exit_with("password: the two are not the same")
    return password


if __name__ == "__main__":
    main()
