"""Settings: a wrong or missing one is one line that names it."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

import pytest

from settings import SettingError, read_settings, read_settings_or_exit


def test_defaults_are_those_of_the_documentation(settings):
    assert (settings.port, settings.rasa_port, settings.actions_port) == (4000, 5005, 5055)
    assert settings.shop.currency == "NGN"
    assert settings.shop.tax_rate == Decimal("0.075")
    assert settings.shop.payment_timeout_minutes == 30
    assert settings.shop.payment_providers == ("sandbox",)
    assert all(asdict(settings.flags).values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAX_RATE", "seven"),
        ("TAX_RATE", "7.5"),
        ("PORT", "70000"),
        ("APP_ENV", "staging"),
        ("PAYMENT_PROVIDERS", "sandbox,monopoly"),
        ("PAYMENT_TIMEOUT_MINUTES", "0"),
        ("CURRENCY", "naira"),
        ("DATABASE_URL", "mysql://localhost/shop"),
        ("PUBLIC_BASE_URL", "shop.example"),
        ("TWILIO_ACCOUNT_SID", "12345"),
        ("TWILIO_WHATSAPP_NUMBER", "my phone"),
        ("PHONE_ENCRYPTION_KEYS", "secret"),
        ("PHONE_INDEX_KEY", "short"),
        ("ENABLE_ORDER_TRACKING", "perhaps"),
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
    sound = {
        "APP_ENV": "production",
        "DATABASE_URL": "postgresql://shop@127.0.0.1/shop",
        "REDIS_HOST": "127.0.0.1",
        "ENABLE_PAYMENT_PROCESSING": "true" if name == "PAYMENT_PROVIDERS" else "false",
    }
    for variable, content in {**sound, name: value}.items():
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
