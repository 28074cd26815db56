"""Who is let into the console, as a browser sees it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE


def test_a_wrong_password_is_told_and_nothing_more(page, system, check_accessible, picture):
    page.goto("/console/orders")
    assert page.url.endswith("/console/sign-in?next=/console/orders")
    picture(page, "console-sign-in")
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("no password of anybody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 800})
        check_accessible(page)


def test_a_role_sees_what_is_its_own(signed_in):
    page = signed_in("designer")
    expect(page.get_by_role("navigation")).not_to_contain_text("Orders")
    answer = page.goto("/console/orders")
    assert answer is not None and answer.status == 403
    expect(page.get_by_role("heading")).to_contain_text("not for your role")


def test_a_form_of_somebody_elses_page_is_refused(signed_in, system):
    page = signed_in("owner")
    answer = page.request.post(f"{system.settings.public_base_url}/console/sign-out", form={"key": "x"})
    assert answer.status == 403
    page.reload()
    expect(page.get_by_role("heading", name="Orders", exact=True)).to_be_visible()


def test_signed_out_is_out(signed_in):
    page = signed_in("staff")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/console/orders")
    assert "/console/sign-in" in page.url
