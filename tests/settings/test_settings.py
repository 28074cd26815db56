"""Settings: a wrong or missing one is one line that names it."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict
from decimal import Decimal

import pytest

from settings import (
    CONVERSATIONS_AT_ONCE,
    PaymentSettings,
    SettingError,
    read_settings,
    read_settings_or_exit,
)

KEYS = {
    "stripe": {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"},
    "paystack": {"PAYSTACK_SECRET_KEY": "sk_test_2", "PAYSTACK_CUSTOMER_EMAIL": "orders@shop.example"},
    "bank_transfer": {"BANK_ACCOUNT": "Zenith Bank, 1012345678"},
    "cash": {},
}
PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://shop@127.0.0.1/shop",
    "REDIS_HOST": "127.0.0.1",
}


def test_defaults_are_those_of_the_documentation(settings):
    assert (settings.port, settings.rasa_port, settings.actions_port) == (4000, 5005, 5055)
    assert settings.shop.currency == "NGN"
    assert settings.shop.tax_rate == Decimal("0.075")
    assert settings.shop.payment_timeout_minutes == 30
    assert settings.shop.payment_providers == ("sandbox",)
    assert settings.customer_cache_hours == 24
    assert settings.shop.timezone == "Africa/Lagos"
    assert settings.shop.tax_classes == {}
    assert settings.shop.opening_hours is None
    assert (settings.shop.delivery_fee, settings.shop.delivery_minimum) == (None, Decimal(0))
    assert (settings.shop.cart_hours, settings.shop.bank_transfer_hours) == (24, 24)
    assert (settings.shop.bank_account, settings.shop.cash_limit) == ("", None)
    assert settings.payments == PaymentSettings()
    assert settings.privacy.phone_index_key_next is None
    assert all(asdict(settings.flags).values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAX_RATE", "seven"),
        ("TAX_RATE", "7.5"),
        ("PORT", "70000"),
        ("APP_ENV", "staging"),
        ("PAYMENT_PROVIDERS", "sandbox,monopoly"),
        ("PAYMENT_PROVIDERS", ""),
        ("PAYMENT_TIMEOUT_MINUTES", "0"),
        ("CURRENCY", "naira"),
        ("CURRENCY", "NGA"),
        ("CURRENCY", "KWD"),
        ("DATABASE_URL", "mysql://localhost/shop"),
        ("PUBLIC_BASE_URL", "shop.example"),
        ("TWILIO_ACCOUNT_SID", "12345"),
        ("TWILIO_WHATSAPP_NUMBER", "my phone"),
        ("PHONE_ENCRYPTION_KEYS", "secret"),
        ("PHONE_INDEX_KEY", "short"),
        ("ENABLE_ORDER_TRACKING", "perhaps"),
        ("CUSTOMER_CACHE_HOURS", "0"),
        ("CUSTOMER_CACHE_HOURS", "a day"),
        ("SHOP_TIMEZONE", "Lagos"),
        ("SHOP_TIMEZONE", "GMT+1"),
        ("SHOP_TIMEZONE", ""),
        ("TAX_CLASSES", "reduced=5"),
        ("TAX_CLASSES", "reduced=-0.05"),
        ("TAX_CLASSES", "reduced=five"),
        ("TAX_CLASSES", "Reduced Rate=0.05"),
        ("TAX_CLASSES", "=0.05"),
        ("TAX_CLASSES", "reduced"),
        ("TAX_CLASSES", "standard=0.05"),
        ("PAYMENT_PROVIDERS", "cash,cash"),
        ("DELIVERY_FEE", "free"),
        ("DELIVERY_FEE", "-1"),
        ("DELIVERY_FEE", "1,500"),
        ("DELIVERY_FEE", "NaN"),
        ("DELIVERY_MINIMUM", "5000.005"),
        ("DELIVERY_MINIMUM", "NGN 5000"),
        ("CART_HOURS", "0"),
        ("CART_HOURS", "721"),
        ("HANDOFF_IDLE_MINUTES", "0"),
        ("HANDOFF_IDLE_MINUTES", "10081"),
        ("BANK_TRANSFER_HOURS", "0"),
        ("BANK_TRANSFER_HOURS", "337"),
        ("CASH_LIMIT", "1e5"),
        ("STRIPE_API_BASE_URL", "api.stripe.com"),
        ("PAYSTACK_API_BASE_URL", "ftp://api.paystack.co"),
        ("PHONE_INDEX_KEY_NEXT", "short"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        read_settings_or_exit()
    told = capsys.readouterr().err
    assert end.value.code == 1
    assert told.startswith(f"chatcart: {name}: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("name", ["TWILIO_AUTH_TOKEN", "PHONE_ENCRYPTION_KEYS", "PHONE_INDEX_KEY"])
def test_a_missing_secret_is_named(monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(SettingError, match=f"^{name}: is not set$"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("PAYMENT_PROVIDERS", "sandbox", "PAYMENT_PROVIDERS"),
        ("WHATSAPP_DEV_MODE", "true", "WHATSAPP_DEV_MODE"),
        ("DATABASE_URL", "", "DATABASE_URL"),
        ("REDIS_HOST", "", "REDIS_HOST"),
    ],
)
def test_production_refuses_what_is_for_development(monkeypatch, name, value, named):
    flag = {"ENABLE_PAYMENT_PROCESSING": "true" if name == "PAYMENT_PROVIDERS" else "false"}
    for variable, content in {**PRODUCTION, **flag, name: value}.items():
        monkeypatch.setenv(variable, content)
    with pytest.raises(SettingError, match=f"^{named}: "):
        read_settings()


def test_a_second_auth_token_is_taken_during_rotation(monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_NEXT", "next-token")
    assert read_settings().whatsapp.auth_tokens == ("test-token", "next-token")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_any_spelling_of_a_postgresql_address_is_taken(monkeypatch, scheme):
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://shop:secret@db:5432/shop")
    assert read_settings().database_url == "postgresql+psycopg2://shop:secret@db:5432/shop"


@pytest.mark.skipif(
    importlib.util.find_spec("opening_hours") is None, reason="its library is on the commerce plane alone"
)
@pytest.mark.parametrize("value", ["9 to 5", "Mo-Fr 25:00-26:00", "always"])
def test_wrong_opening_hours_are_one_line_that_names_them(monkeypatch, value):
    monkeypatch.setenv("OPENING_HOURS", value)
    with pytest.raises(SettingError, match="^OPENING_HOURS: is not in OpenStreetMap's notation"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("SHOP_TIMEZONE", "Europe/Paris", {"timezone": "Europe/Paris"}),
        ("TAX_CLASSES", "", {"tax_classes": {}}),
        ("TAX_CLASSES", " ", {"tax_classes": {}}),
        ("OPENING_HOURS", " ", {"opening_hours": None}),
        ("TAX_CLASSES", "zero=0", {"tax_classes": {"zero": Decimal(0)}}),
        (
            "TAX_CLASSES",
            "reduced=0.05, take_away=0.025",
            {"tax_classes": {"reduced": Decimal("0.05"), "take_away": Decimal("0.025")}},
        ),
        ("OPENING_HOURS", "", {"opening_hours": None}),
        (
            "OPENING_HOURS",
            "Mo-Fr 09:00-21:00; Sa 10:00-23:00; Dec 25 off",
            {"opening_hours": "Mo-Fr 09:00-21:00; Sa 10:00-23:00; Dec 25 off"},
        ),
        ("DELIVERY_FEE", "", {"delivery_fee": None}),
        ("DELIVERY_FEE", "0", {"delivery_fee": Decimal(0)}),
        ("DELIVERY_FEE", " 1500.50 ", {"delivery_fee": Decimal("1500.50")}),
        ("DELIVERY_MINIMUM", "", {"delivery_minimum": Decimal(0)}),
        ("DELIVERY_MINIMUM", "5000", {"delivery_minimum": Decimal(5000)}),
        ("CART_HOURS", "720", {"cart_hours": 720}),
        ("HANDOFF_IDLE_MINUTES", "30", {"handoff_idle_minutes": 30}),
        ("BANK_TRANSFER_HOURS", "48", {"bank_transfer_hours": 48}),
        ("BANK_ACCOUNT", " Zenith Bank, 1012345678 ", {"bank_account": "Zenith Bank, 1012345678"}),
        ("CASH_LIMIT", "20000", {"cash_limit": Decimal(20000)}),
    ],
)
def test_how_the_shop_sells_is_read(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    shop = asdict(read_settings().shop)
    assert {field: shop[field] for field in read} == read


def test_the_payment_providers_keys_are_read(monkeypatch):
    given = {
        **KEYS["stripe"],
        **KEYS["paystack"],
        "STRIPE_WEBHOOK_SECRET_NEXT": "whsec_2",
        "STRIPE_API_BASE_URL": "http://127.0.0.1:12111/",
        "PAYSTACK_API_BASE_URL": "http://127.0.0.1:12112",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert read_settings().payments == PaymentSettings(
        stripe_secret_key="sk_test_1",
        stripe_webhook_secrets=("whsec_1", "whsec_2"),
        stripe_api_base_url="http://127.0.0.1:12111",
        paystack_secret_key="sk_test_2",
        paystack_api_base_url="http://127.0.0.1:12112",
        paystack_customer_email="orders@shop.example",
    )


@pytest.mark.parametrize(
    ("provider", "missing"), [(provider, name) for provider, names in KEYS.items() for name in names]
)
def test_a_payment_provider_without_its_keys_is_refused(monkeypatch, provider, missing):
    for name, value in KEYS[provider].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(missing, " ")
    monkeypatch.setenv("PAYMENT_PROVIDERS", provider)
    with pytest.raises(SettingError, match=f"^{missing}: missing; PAYMENT_PROVIDERS offers {provider}$"):
        read_settings()
    monkeypatch.setenv("ENABLE_PAYMENT_PROCESSING", "false")
    assert read_settings().shop.payment_providers == (provider,)


@pytest.mark.parametrize("offered", [*KEYS, ",".join(KEYS)])
def test_production_takes_every_payment_provider_but_the_sandbox(monkeypatch, offered):
    for name, value in {**PRODUCTION, "PAYMENT_PROVIDERS": offered}.items():
        monkeypatch.setenv(name, value)
    for provider in offered.split(","):
        for name, value in KEYS[provider].items():
            monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.is_production
    assert settings.shop.payment_providers == tuple(offered.split(","))


@pytest.mark.parametrize(("value", "read"), [("", None), ("k" * 32, b"k" * 32), (" " + "k" * 40, b"k" * 40)])
def test_the_next_look_up_key_is_read(monkeypatch, value, read):
    monkeypatch.setenv("PHONE_INDEX_KEY_NEXT", value)
    assert read_settings().privacy.phone_index_key_next == read


@pytest.mark.parametrize("hours", [1, 720])
def test_how_long_customers_are_kept_in_redis_is_read(monkeypatch, hours):
    monkeypatch.setenv("CUSTOMER_CACHE_HOURS", str(hours))
    assert read_settings().customer_cache_hours == hours


@pytest.mark.parametrize(("at_once", "processes", "fits"), [(4, 2, True), (8, 1, True), (4, 3, False)])
def test_a_model_that_hangs_cannot_hold_most_conversations(monkeypatch, at_once, processes, fits):
    values = {"LLM_BASE_URL": "http://127.0.0.1:8080/v1", "LLM_MODEL": "tiny"}
    values |= {"LLM_CALLS_AT_ONCE": str(at_once), "ACTIONS_PROCESSES": str(processes)}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    if fits:
        assert read_settings().llm.most_at_once * processes <= CONVERSATIONS_AT_ONCE / 2
    else:
        with pytest.raises(SettingError, match=r"^LLM_CALLS_AT_ONCE: 4 calls times 3 ACTIONS_PROCESSES"):
            read_settings()
