"""Members of staff as the owner adds, changes and lets go of them; the record of all that."""

from __future__ import annotations

import pytest

from shop import staff
from tests.environment import STAFF_PASSWORD


@pytest.fixture
def owner(signed_in):
    return signed_in("owner", "Boss")


def test_somebody_new_signs_in_and_does_what_the_role_may(owner, new_browser):
    fields = {"name": "Ada", "role": "designer", "password": STAFF_PASSWORD}
    assert owner.told(owner.post("/members", **fields)) == "Ada can sign in."
    ada = new_browser()
    ada.sign_in("ada")
    assert ada.get("/orders").status_code == 403 and ada.get("/products").status_code == 200


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "boss"}, "There is a boss already"),
        ({"name": "<b>"}, "A name has"),
        ({"password": "short"}, "10 characters or more"),
        ({"password": "ada-ada-ada"}, "made of the name"),
        ({"role": "king"}, "Choose a role"),
    ],
)
def test_nobody_is_added_who_cannot_be(owner, new_browser, changed, reason):
    fields = {"name": "Ada-Ada", "role": "staff", "password": STAFF_PASSWORD, **changed}
    assert reason in owner.told(owner.post("/members", **fields))


def test_another_role_holds_at_once(owner, signed_in, add_member):
    ada = signed_in("staff", "Ada")
    member = owner.get("/members").text.split("/console/members/")[1:]
    ids = {one.split("/")[0] for one in member}
    for member_id in ids:
        owner.post(f"/members/{member_id}/role", role="owner", key=member_id)
    assert ada.get("/members").status_code == 200


def test_who_is_let_in_no_more_is_out_at_once(owner, signed_in, shop):
    ada = signed_in("staff", "Ada")
    (member_id,) = [str(one.id) for one in shop.run(staff.members) if one.name == "Ada"]
    said = owner.told(owner.post(f"/members/{member_id}/active", active="no"))
    assert said == "Ada is signed out and cannot sign in."
    assert ada.get("/orders").status_code == 303
    assert ada.sign_in("Ada").status_code == 403


def test_the_last_owner_cannot_leave(owner, shop):
    (member_id,) = [str(one.id) for one in shop.run(staff.members)]
    assert "another owner first" in owner.told(
        owner.post(f"/members/{member_id}/active", active="no", key="1")
    )
    assert "another owner first" in owner.told(
        owner.post(f"/members/{member_id}/role", role="staff", key="2")
    )
    assert "not there" in owner.told(owner.post("/members/none/role", role="staff", key="3"))


def test_the_record_tells_who_did_what_and_no_password(owner):
    owner.post("/members", name="Ada", role="staff", password="a secret of nobody")
    page = owner.get("/record").text
    assert "member added" in page and "Boss" in page and "Ada" in page and "a secret" not in page
