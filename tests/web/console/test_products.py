"""The menu in the console: edited, sold out, counted, with pictures that are only pictures."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any

import pytest
from markupsafe import escape
from PIL import Image

from db.models import Cart, Order, Product, StaffAction
from shop import cart, catalogue, menu_desk
from shop.errors import SoldOut

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def row(sessions):
    """A product as it is kept."""

    def row(name: str = "Test Burger") -> Product:
        with sessions() as session:
            product = session.query(Product).filter_by(name=name).one()
            assert all(isinstance(group.options, list) for group in product.option_groups)
            return product

    return row


@pytest.fixture
def recorded(sessions):
    """What is in the record about products and choices."""

    def recorded() -> list[tuple[str, str]]:
        with sessions() as session:
            rows = session.query(StaffAction).filter(StaffAction.subject != "member")
            return [(row.staff, row.action) for row in rows.order_by(StaffAction.created_at)]

    return recorded


def values(product: Product, **changed: Any) -> dict[str, Any]:
    """The form of a product as it comes filled in."""
    filled = {
        "name": product.name,
        "category": product.category,
        "price": str(product.price),
        "description": product.description,
        "aliases": "\n".join(product.aliases),
        "removable": "\n".join(product.removable),
        "tax_class": product.tax_class,
        "available": "yes",
        "choices": [group.name for group in product.option_groups],
        "version": menu_desk.file_of(product).version,
    }
    return {**filled, **changed}


def version_of(browser, path: str) -> str:
    """The version that a form was opened with."""
    return str(re.findall(r'name="version" value="(\w+)"', browser.get(path).text)[0])


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **how) -> bytes:
    """A picture file."""
    kept = io.BytesIO()
    Image.new(how.pop("mode", "RGB"), size, "red").save(kept, kind, **how)
    return kept.getvalue()


class TestSoldOut:
    def test_the_next_message_is_refused_and_the_one_after_the_switch_back_is_not(
        self, signed_in, test_burger, shop, customer, recorded
    ):
        browser, path = signed_in("staff", "Ada"), f"/products/{test_burger.id}/sold-out"
        said = browser.told(browser.post(path, sold_out="yes", key="1"))
        assert said == "Test Burger is sold out, from the next message on."
        for step in (
            lambda work: cart.add(work, customer, str(test_burger.id), 1),
            lambda work: catalogue.select(work, customer, [], "test burger"),
        ):
            with pytest.raises(SoldOut) as refused:
                shop.run(step)
            assert refused.value.values == {"product": "Test Burger"}
        assert "sold out" in browser.get("/products").text
        browser.told(browser.post(path, sold_out="no", key="2"))
        shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 1))
        assert recorded() == [("Ada", "sold out"), ("Ada", "on sale again")]

    def test_what_is_in_a_cart_already_is_not_sold_either(
        self, signed_in, test_burger, place, shop, customer
    ):
        browser = signed_in("staff")
        shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 1))
        browser.post(f"/products/{test_burger.id}/sold-out", sold_out="yes")
        with pytest.raises(SoldOut):
            place(test_burger, 1)

    def test_it_stays_on_the_menu(self, signed_in, test_burger, shop):
        signed_in("staff").post(f"/products/{test_burger.id}/sold-out", sold_out="yes")
        (shown,) = shop.run(lambda work: catalogue.products_in(work, "Burgers")).products
        assert shown.sold_out and shown.name == "Test Burger"

    def test_a_designer_only_reads(self, signed_in, test_burger, row):
        browser = signed_in("designer")
        page = browser.get("/products").text
        assert "Test Burger" in page and "sold-out" not in page
        assert "Save" not in browser.get(f"/products/{test_burger.id}").text
        assert browser.post(f"/products/{test_burger.id}/sold-out", sold_out="yes").status_code == 403
        assert browser.post(f"/products/{test_burger.id}", **values(row())).status_code == 403
        assert not row().sold_out


class TestStock:
    def test_counted_and_added(self, signed_in, test_burger, row):
        browser, path = signed_in("staff"), f"/products/{test_burger.id}/stock"
        for key, (how, units, stock) in enumerate(
            [("counted", "7", 7), ("added", "5", 12), ("counted", "", None), ("added", "3", 3)]
        ):
            browser.told(browser.post(path, how=how, units=units, key=str(key)))
            assert row().stock_quantity == stock

    def test_a_delivery_that_is_sent_twice_counts_once(self, signed_in, test_burger, row):
        browser = signed_in("staff")
        for _ in "12":
            browser.post(f"/products/{test_burger.id}/stock", how="added", units="5", key="once")
        assert row().stock_quantity == 55

    @pytest.mark.parametrize("units", ["-1", "1.5", "many", "99999999999", "1000001", "٣"])
    def test_what_is_no_number_of_units(self, signed_in, test_burger, row, units):
        browser = signed_in("staff")
        said = browser.told(browser.post(f"/products/{test_burger.id}/stock", how="counted", units=units))
        assert "whole number" in said and row().stock_quantity == 50

    def test_fewer_than_unpaid_orders_hold(self, signed_in, test_burger, place, row):
        place(test_burger, 4, paid=False)
        browser = signed_in("staff")
        said = browser.told(browser.post(f"/products/{test_burger.id}/stock", how="counted", units="3"))
        assert "Unpaid orders hold 4" in said and row().stock_quantity == 50


class TestEditing:
    def test_a_new_price_is_for_orders_to_come(self, signed_in, test_burger, place, row, sessions, recorded):
        place(test_burger, 1)
        browser = signed_in("owner", "Boss")
        answer = browser.post(f"/products/{test_burger.id}", **values(row(), price="6000.50"))
        assert browser.told(answer) == "Test Burger is changed."
        assert str(row().price) == "6000.50" and row().position == test_burger.position
        with sessions() as session:
            assert str(session.query(Order).one().items_amount) == "5500.00"
        assert recorded() == [("Boss", "product edited")]
        page = browser.get("/record").text
        assert "5500.00 -&gt; 6000.50" in page

    @pytest.mark.parametrize(
        ("field", "typed", "reason"),
        [
            ("price", "cheap", "is not an amount"),
            ("price", "-5", "is negative"),
            ("price", "5.555", "more decimals"),
            ("name", " ", "is blank"),
            ("name", "x" * 201, "longer than 200"),
            ("category", "", "is blank"),
            ("tax_class", "luxury", "is unknown"),
        ],
    )
    def test_what_is_refused_says_why_and_keeps_what_was_typed(
        self, signed_in, test_burger, row, field, typed, reason
    ):
        answer = signed_in("owner").post(
            f"/products/{test_burger.id}", **values(row(), description="typed just now", **{field: typed})
        )
        assert answer.status_code == 422 and reason in answer.text
        assert "typed just now" in answer.text
        assert row().description == ""

    def test_a_stale_tab_does_not_revert_what_a_colleague_changed(
        self, signed_in, test_burger, row, recorded
    ):
        bola, ada, path = signed_in("owner", "Bola"), signed_in("owner", "Ada"), f"/products/{test_burger.id}"
        version = version_of(ada, path)
        stale = values(row(), description="of this morning", version=version)
        bola.told(bola.post(path, **values(row(), price="7000.00", aliases="bestseller")))
        answer = ada.post(path, **stale)
        assert (
            answer.status_code == 422 and "Bola changed Test Burger after you opened this page" in answer.text
        )
        assert "of this morning" in answer.text and re.search(r"<dt>price</dt>\s*<dd>7000.00<", answer.text)
        assert re.search(r"<dt>aliases</dt>\s*<dd>bestseller<", answer.text)
        assert (str(row().price), row().description) == ("7000.00", "")
        (fresh,) = re.findall(r'name="version" value="(\w+)"', answer.text)
        again = ada.post(path, **{**stale, "version": fresh, "price": "7000.00", "key": "2"})
        assert again.status_code == 303 and row().description == "of this morning"
        assert recorded() == [("Bola", "product edited"), ("Ada", "product edited")]

    def test_an_order_or_the_switch_make_no_form_stale(self, signed_in, test_burger, place, row):
        browser, path = signed_in("owner"), f"/products/{test_burger.id}"
        form = values(row(), description="crisp")
        place(test_burger, 2)
        browser.post(f"{path}/sold-out", sold_out="yes", key="1")
        browser.post(f"{path}/stock", how="added", units="5", key="2")
        assert browser.post(path, **form, key="3").status_code == 303
        assert row().description == "crisp" and row().sold_out

    def test_what_is_refused_for_another_reason_stays_as_stale_as_it_was(self, signed_in, test_burger, row):
        browser, path = signed_in("owner"), f"/products/{test_burger.id}"
        stale = values(row())
        browser.post(path, **values(row(), description="of a colleague"), key="1")
        refused = browser.post(path, files={"picture": ("b.png", b"no picture", "image/png")}, **stale)
        (version,) = re.findall(r'name="version" value="(\w+)"', refused.text)
        again = browser.post(path, **{**stale, "version": version, "key": "2"})
        assert again.status_code == 422 and row().description == "of a colleague"

    def test_the_record_tells_all_that_was_changed(self, signed_in, burger_with_choices, row):
        browser = signed_in("owner", "Boss")
        changed = {"description": "crisp", "aliases": "bg", "removable": "onions\nsauce", "choices": ["Size"]}
        browser.told(browser.post(f"/products/{burger_with_choices.id}", **values(row(), **changed)))
        page = browser.get("/record").text
        for told in (
            "description:  -&gt; crisp", "aliases:  -&gt; bg", "removable:  -&gt; onions | sauce",
            "choices: Size | Extras -&gt; Size",
        ):  # fmt: skip
            assert told in page, told

    def test_the_lint_warns_after_an_edit(self, signed_in, test_burger, row):
        browser = signed_in("owner")
        browser.post(f"/products/{test_burger.id}", **values(row(), aliases="two\nburger classic"))
        page = browser.get(f"/products/{test_burger.id}").text
        assert "may misread" in page and "is a number" in page and "Remove the alias" in page
        assert row().aliases == ["two", "burger classic"]
        assert "is a number" in browser.get("/menu").text

    def test_choices_are_kept_in_their_order(self, signed_in, burger_with_choices, row):
        browser = signed_in("owner")
        form = {**values(row()), "choices": ["Extras", "Size"]}
        browser.post(f"/products/{burger_with_choices.id}", **form)
        assert [group.name for group in row().option_groups] == ["Extras", "Size"]
        form = values(row(), choices=[])
        browser.post(f"/products/{burger_with_choices.id}", **{**form, "key": "2"})
        assert row().option_groups == []

    def test_a_new_product_comes_last(self, signed_in, test_burger, row):
        browser = signed_in("owner")
        fields = {
            "sku": "NEW 1", "name": "Suya", "category": "Grill", "price": "1500", "available": "yes",
            "tax_class": "standard", "stock": "12", "description": "", "aliases": "", "removable": "onions",
        }  # fmt: skip
        answer = browser.post("/products/new", **fields)
        assert browser.told(answer) == "Suya is on the menu."
        made = row("Suya")
        assert (made.stock_quantity, made.removable, made.sold_out) == (12, ["onions"], False)
        assert made.position > test_burger.position
        again = browser.post("/products/new", **fields, key="2")
        assert again.status_code == 422 and "There is a product with the code NEW 1" in again.text

    def test_html_is_text_everywhere(self, signed_in, test_burger, row):
        browser = signed_in("owner")
        form = values(row(), name=NASTY, category=NASTY, description=NASTY, aliases=NASTY)
        assert browser.post(f"/products/{test_burger.id}", **form).status_code == 303
        for path in ("/products", f"/products/{test_burger.id}", "/menu", "/record"):
            page = browser.get(path).text
            assert NASTY not in page
        assert str(escape(NASTY)) in browser.get("/products").text

    @pytest.mark.parametrize("path", ["/products/none", "/products/7d0f4ed6-5c50-4c0c-8f6c-c1f6d6a1b0c4"])
    def test_there_is_no_such_product(self, signed_in, path):
        browser = signed_in("owner")
        assert browser.get(path).status_code == 404
        assert browser.post(path, name="x").status_code == 404
        assert "not there any more" in browser.told(browser.post(f"{path}/sold-out", sold_out="yes"))

    def test_the_list_is_searched_and_paged(self, signed_in, make_product, sessions):
        for count in range(70):
            make_product(name=f"Dish {count:02d}", sku=f"D{count:02d}", position=count)
        browser = signed_in("staff")
        first = browser.get("/products").text
        shown = re.findall(r">(Dish \d\d)<", first)
        (more,) = re.findall(r'href="/console(/products\?[^"]+)">More', first)
        shown += re.findall(r">(Dish \d\d)<", browser.get(more.replace("&amp;", "&")).text)
        assert shown == [f"Dish {count:02d}" for count in range(70)]
        assert re.findall(r">(Dish \d\d)<", browser.get("/products?asked=dish 07").text) == ["Dish 07"]
        assert "No product is like that" in browser.get("/products?asked=%25").text


class TestPictures:
    @pytest.fixture
    def upload(self, signed_in, test_burger, row):
        """Sends a product's form with a file."""
        browser = signed_in("owner")

        def upload(content: bytes, name: str = "burger.png"):
            files = {"picture": (name, content, "image/png")}
            return browser.post(f"/products/{test_burger.id}", files=files, **values(row()))

        return upload

    def test_a_picture_is_encoded_anew_and_served(self, upload, row, web):
        exif = Image.Exif()
        exif[0x010E] = "taken at home, 6.601838 3.351486"
        assert upload(picture("JPEG", (2400, 1600), exif=exif)).status_code == 303
        name = row().picture
        assert re.fullmatch(r"sku-test-burger-[0-9a-f]{16}\.jpg", name)
        served = web.get(f"/pictures/{name}")
        assert served.headers["content-type"] == "image/jpeg" and b"taken at home" not in served.content
        with Image.open(io.BytesIO(served.content)) as shown:
            assert shown.size == (1200, 800) and not shown.getexif()

    @pytest.mark.parametrize(
        ("kind", "how"),
        [("PNG", {"mode": "RGBA"}), ("WEBP", {}), ("PNG", {"mode": "P"}), ("JPEG", {"mode": "CMYK"})],
    )
    def test_what_people_have(self, upload, row, kind, how):
        assert upload(picture(kind, **how)).status_code == 303
        assert row().picture

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"GIF89a" + b"\0" * 40,
            picture()[:40],
            picture("JPEG")[:200],
            b"\x89PNG\r\n\x1a\n" + b"\xff" * 200,
            b"%PDF-1.4",
        ],
    )
    def test_what_is_no_picture(self, upload, row, content):
        answer = upload(content)
        assert answer.status_code == 422
        assert row().picture is None

    def test_a_bomb_is_refused_before_it_unfolds(self, upload, row):
        header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        answer = upload(bomb + picture()[33:])
        assert answer.status_code == 422 and row().picture is None

    def test_30_megabytes_are_refused_politely(self, upload, row):
        answer = upload(b"\0" * 30 * 1024 * 1024)
        assert answer.status_code == 413
        assert "That is too large" in answer.text and "5.1" in answer.text and row().picture is None

    def test_the_first_menus_pictures_are_still_there_and_nothing_else(self, web, sessions):
        assert web.get("/pictures/bur-001.jpg").status_code == 200
        for name in ("none.jpg", "%2e%2e%2fmenu.yml", "..%2Fmenu.yml", "%00", "a%00.jpg"):
            assert web.get(f"/pictures/{name}").status_code == 404, name


class TestChoices:
    def test_an_option_goes_off_sale_and_comes_back(self, signed_in, burger_with_choices, row):
        browser = signed_in("staff", "Ada")
        group = row().option_groups[0]
        path = f"/choices/{group.id}/option"
        said = browser.told(browser.post(path, option="Large", available="no", key="1"))
        assert said == "Large is off sale." and "off sale" in browser.get("/choices").text
        browser.told(browser.post(path, option="Large", available="yes", key="2"))
        assert "not there" in browser.told(browser.post(path, option="None", available="yes", key="3"))

    @pytest.fixture
    def size(self, burger_with_choices, row) -> str:
        """The path of the choice Size."""
        return f"/choices/{row().option_groups[0].id}"

    def test_a_choice_is_edited_for_all_its_products(self, signed_in, size):
        browser = signed_in("owner", "Boss")
        form = {
            "required": "yes", "most": "1", "version": version_of(browser, size),
            "option": ["Small", "Huge", ""], "price": ["-50", "1,5", ""],
            "aliases": ["little | tiny", "", ""],
        }  # fmt: skip
        answer = browser.post(size, **form)
        assert answer.status_code == 303, answer.text
        page = browser.get("/choices").text
        assert "Huge" in page and re.search(r"Large.{0,80}off sale", page, re.S)
        record = browser.get("/record").text
        for told in (
            "option Small: +0.00 -&gt; -50.00, also little | tiny",
            "option Huge: none -&gt; +1.50",
            "option Large: +1000.00 -&gt; +1000.00, off sale",
        ):
            assert told in record, told

    def test_a_new_choice_does_not_write_over_one_with_its_name(self, signed_in, size, row):
        browser = signed_in("owner", "Boss")
        form = {"most": "1", "option": ["Cup"], "price": ["0"], "aliases": [""]}
        for name in ("Size", " size "):
            answer = browser.post("/choices/new", name=name, **form)
            assert answer.status_code == 422 and "There is a choice called" in answer.text
            assert 'value="Cup"' in answer.text and 'action="/console/choices/new"' in answer.text
        assert [one.name for one in row().option_groups[0].options if one.available] == ["Small", "Large"]
        assert browser.told(browser.post("/choices/new", name="Vessel", **form, key="2")) == (
            "Products can have the choice Vessel now."
        )
        assert "choice added" in browser.get("/record").text

    def test_a_stale_tab_does_not_revert_a_colleagues_choice(self, signed_in, size, row):
        bola, ada = signed_in("staff", "Bola"), signed_in("owner", "Ada")
        form = {
            "required": "yes", "most": "1", "version": version_of(ada, size),
            "option": ["Small", "Large"], "price": ["0", "1500"], "aliases": ["", ""],
        }  # fmt: skip
        bola.told(bola.post(f"{size}/option", option="Large", available="no"))
        answer = ada.post(size, **form)
        assert answer.status_code == 422 and "Bola changed Size after you opened this page" in answer.text
        assert 'value="1500"' in answer.text and "Small +0.00" in answer.text
        assert f'action="/console{size}"' in answer.text
        assert not next(one for one in row().option_groups[0].options if one.name == "Large").available
        (version,) = re.findall(r'name="version" value="(\w+)"', answer.text)
        assert ada.post(size, **{**form, "version": version, "key": "2"}).status_code == 303
        assert next(one for one in row().option_groups[0].options if one.name == "Large").available

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"option": [], "price": [], "aliases": []}, "no options"),
            ({"price": ["much", "0"]}, "is not an amount"),
            ({"most": "0"}, "is not between"),
            ({"most": "3"}, "exactly one option"),
            ({"price": ["-9999", "0"]}, "would make"),
        ],
    )
    def test_what_is_refused(self, signed_in, size, changed, reason):
        browser = signed_in("owner")
        form = {
            "required": "yes", "most": "1", "version": version_of(browser, size),
            "option": ["Small", "Large"], "price": ["0", "0"], "aliases": ["", ""],
        }  # fmt: skip
        answer = browser.post(size, **{**form, **changed})
        assert answer.status_code == 422 and reason in answer.text
        assert f'action="/console{size}"' in answer.text, "it is still the form of this choice"


class TestImport:
    def test_all_of_a_file(self, signed_in, test_burger, row):
        browser = signed_in("owner", "Boss")
        menu = b"sku,name,category,price\nSUYA,Suya,Grill,1500\nSKU-Test Burger,Test Burger,Burgers,6000\n"
        answer = browser.post("/menu/import", files={"menu": ("menu.csv", menu, "text/csv")})
        assert browser.told(answer) == ("Imported: 1 added, 1 changed, 0 unchanged, 0 taken off the menu.")
        assert str(row("Suya").price) == "1500.00"
        assert "menu imported" in browser.get("/record").text

    def test_a_broken_row_is_named_and_nothing_is_imported(self, signed_in, sessions):
        menu = f"sku,name,category,price\nSUYA,Suya,Grill,1500\nBAD,{NASTY},Grill,cheap\n".encode()
        answer = signed_in("owner").post("/menu/import", files={"menu": ("menu.csv", menu, "text/csv")})
        assert answer.status_code == 422
        assert re.search(r'<th scope="row">3</th><td>price .*is not an amount', answer.text)
        assert "Nothing was imported; problems: 1" in answer.text and NASTY not in answer.text
        with sessions() as session:
            assert session.query(Product).count() == 0

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[" * 100_000])
    def test_what_is_no_menu(self, signed_in, content):
        answer = signed_in("owner").post("/menu/import", files={"menu": ("m.json", content, "text/csv")})
        assert answer.status_code == 422 and "Nothing was imported" in answer.text

    def test_no_file_was_chosen(self, signed_in, sessions):
        browser = signed_in("owner")
        assert browser.told(browser.post("/menu/import")) == "Choose a file first."

    def test_the_cart_knows_the_new_price(self, signed_in, test_burger, shop, customer, sessions):
        shop.run(lambda work: cart.add(work, customer, str(test_burger.id), 1))
        menu = b"sku,name,category,price\nSKU-Test Burger,Test Burger,Burgers,6000\n"
        signed_in("owner").post("/menu/import", files={"menu": ("menu.csv", menu, "text/csv")})
        with sessions() as session:
            assert str(session.query(Cart).one().items[0].product.price) == "6000.00"
