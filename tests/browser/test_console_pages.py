"""Every page of the console: readable by everybody, on a phone and on a wide screen; and the menu at work."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_orders import order_cola

PAGES = {
    "/console/orders": "",
    "/console/orders/all": "",
    "/console/payments": "",
    "/console/handoffs": "",
    "/console/dashboard": "",
    "/console/misunderstandings": "",
    "/console/products": "console-menu",
    "/console/products/new": "",
    "/console/choices": "",
    "/console/choices/new": "",
    "/console/menu": "",
    "/console/customers": "",
    "/console/discounts": "",
    "/console/hours": "",
    "/console/members": "",
    "/console/record": "",
    "/console/account": "",
}
"""Pages, and the picture to keep of some."""
BEHIND_LINKS = (
    ("/console/orders/all", "table a", "console-order"),
    ("/console/products", ".product h2 a", "console-product"),
    ("/console/choices", "section h2 a", ""),
    ("/console/customers", "table a", "console-customer"),
)
"""Pages of one thing, reached by the first link of a list."""


def test_every_page_is_readable_by_everybody(signed_in, phone, check_accessible, picture):
    order_cola(phone)
    phone.hear("Payment received")
    page = signed_in("owner", name="Boss")
    page.goto("/console/discounts")
    page.get_by_role("textbox", name=re.compile("^Code")).fill("WELCOME10")
    page.get_by_role("textbox", name="Takes off").fill("10")
    page.get_by_role("button", name="Make the code").click()
    expect(page.get_by_role("status")).to_have_text("WELCOME10 can be used.")
    paths = dict(PAGES)
    for path, link, name in BEHIND_LINKS:
        page.goto(path)
        paths[page.locator(link).first.get_attribute("href") or ""] = name
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        for path, name in paths.items():
            answer = page.goto(path)
            assert answer is not None and answer.status == 200, path
            check_accessible(page)
            if name and width == WIDE:
                picture(page, name)
    page.goto("/console/products")
    picture(page, "console-menu-phone")


def test_what_customers_open_is_readable_by_everybody(phone, new_page, check_accessible):
    phone.say("2 cola", "cola")
    phone.say("checkout", "total")
    phone.say("yes", "/payments/sandbox/")
    pay_link = phone.page.locator("#messages a[href*='/payments/sandbox/']").last.get_attribute("href")
    page = new_page()
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(pay_link)
        check_accessible(page)
    page.get_by_role("button", name="Pay", exact=False).first.click()
    phone.hear("Payment received")
    check_accessible(page)
    phone.say("receipt", "/receipts/")
    receipt_link = phone.page.locator("#messages a[href*='/receipts/']").last.get_attribute("href")
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        for path in (receipt_link, "/receipts/of-nobody", "/payments/thanks"):
            page.goto(path)
            check_accessible(page)


def test_the_generated_pages_work_under_their_policy(signed_in, check_accessible):
    page = signed_in("owner")
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        for path in ("", "product/list", "order/list?page=1"):
            page.goto(f"/console/data/{path}")
            check_accessible(page)
    page.goto("/console/data/")
    page.get_by_role("link", name="products", exact=True).click()
    expect(page.get_by_role("table")).to_contain_text("BUR-001")
    page.goto("/console/data/product/list?search=Cola")
    expect(page.get_by_role("table")).to_contain_text("Cola")
    check_accessible(page)
    expect(page.get_by_role("link", name=re.compile(r"\b(new|create|edit|delete)\b", re.I))).to_have_count(0)


def test_a_product_that_is_sold_out_is_refused_at_the_next_message(signed_in, phone):
    page = signed_in("staff")
    switch(page, "Zobo", "Sold out")
    try:
        phone.say("2 zobo", "sold out")
        expect(page.locator(".product", has_text="Zobo").locator(".tag.look")).to_have_text("sold out")
    finally:
        switch(page, "Zobo", "On sale again")
    phone.say("2 zobo", "2 × Zobo")


def switch(page: Page, product: str, to: str) -> None:
    """Press a product's switch on the menu."""
    page.goto(f"/console/products?asked={product}")
    page.get_by_role("button", name=f"{to}: {product}").click()
    expect(page.get_by_role("status")).to_contain_text(f"{product} is {to.lower()}")


def test_a_picture_that_is_too_large_is_refused_before_it_is_sent(signed_in, tmp_path):
    large = tmp_path / "large.png"
    large.write_bytes(b"\0" * 6_000_000)
    page = signed_in("owner")
    page.goto("/console/products")
    page.locator(".product h2 a").first.click()
    page.get_by_label("Picture", exact=False).set_input_files(large)
    page.get_by_role("button", name="Save").click()
    assert page.get_by_label("Picture", exact=False).evaluate("one => one.validationMessage") == (
        "A picture has 5 MB at most."
    )


def test_the_menu_is_edited_by_keyboard_alone(signed_in):
    page = signed_in("owner")
    page.goto("/console/products?asked=Cola")
    page.get_by_role("link", name="Cola", exact=True).focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Description")
    field.focus()
    page.keyboard.type("Cold and sweet. ")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Cola is changed.")
