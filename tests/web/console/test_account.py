"""A member's own password."""

from __future__ import annotations

import pytest

from shop.sign_in import MOST_BY_NAME
from tests.environment import STAFF_PASSWORD

NEW = "quite another phrase"


def test_another_password_signs_out_everywhere_else(signed_in, new_browser):
    here, there = signed_in("staff", "Ada"), new_browser()
    there.sign_in("Ada")
    answer = here.post("/account/password", present=STAFF_PASSWORD, password=NEW, again=NEW)
    assert "changed" in here.told(answer)
    assert there.get("/account").status_code == 303
    assert new_browser().sign_in("Ada").status_code == 403
    assert new_browser().sign_in("Ada", NEW).status_code == 303


def test_a_browser_left_open_is_no_place_to_guess_the_password(signed_in):
    browser = signed_in("staff", "Ada")
    for count in range(MOST_BY_NAME):
        answer = browser.post("/account/password", present=f"guess {count}", password=NEW, again=NEW)
        assert "not your present password" in browser.told(answer)
    answer = browser.post("/account/password", present=STAFF_PASSWORD, password=NEW, again=NEW)
    assert "Too many attempts" in browser.told(answer)


@pytest.mark.parametrize(
    ("present", "password", "again", "reason"),
    [
        ("wrong password", NEW, NEW, "not your present password"),
        (STAFF_PASSWORD, NEW, NEW + "!", "not typed the same twice"),
        (STAFF_PASSWORD, "short", "short", "10 characters or more"),
        (STAFF_PASSWORD, "password123", "password123", "among the first"),
    ],
)
def test_what_is_refused_changes_nothing(signed_in, new_browser, present, password, again, reason):
    browser = signed_in("designer", "Ada")
    answer = browser.post("/account/password", present=present, password=password, again=again)
    assert reason in browser.told(answer)
    assert new_browser().sign_in("Ada").status_code == 303
