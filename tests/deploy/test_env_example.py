""".env.example: complete, explained, and its defaults are those of the code."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.local.env_file import GENERATED, load_or_generate
from settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"
SETTINGS = sorted((ROOT / "settings").glob("*.py"))
ASSIGNMENT = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$")
CONTAINERS_ONLY = {"POSTGRES_PASSWORD", "PUBLISHED_ADDRESS", "PUBLISHED_PORT"}
DOCUMENTED = """
    APP_ENV PORT RASA_PORT ACTIONS_PORT STATE_DIR PUBLIC_BASE_URL
    DATABASE_URL REDIS_HOST REDIS_PORT REDIS_PASSWORD REDIS_SSL
    TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIO_AUTH_TOKEN_NEXT TWILIO_WHATSAPP_NUMBER TWILIO_API_BASE_URL
    WHATSAPP_WEBHOOK_VERIFY_TOKEN WHATSAPP_DEV_MODE
    BUSINESS_NAME CURRENCY TAX_RATE PAYMENT_TIMEOUT_MINUTES PAYMENT_PROVIDERS
    CUSTOMER_CACHE_HOURS SHOP_TIMEZONE TAX_CLASSES OPENING_HOURS DELIVERY_FEE DELIVERY_MINIMUM CART_HOURS
    HANDOFF_IDLE_MINUTES BANK_TRANSFER_HOURS BANK_ACCOUNT CASH_LIMIT
    STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET STRIPE_WEBHOOK_SECRET_NEXT STRIPE_API_BASE_URL
    PAYSTACK_SECRET_KEY PAYSTACK_API_BASE_URL PAYSTACK_CUSTOMER_EMAIL
    PHONE_ENCRYPTION_KEYS PHONE_INDEX_KEY PHONE_INDEX_KEY_NEXT LLM_BASE_URL LLM_API_KEY LLM_MODEL
    ENABLE_PAYMENT_PROCESSING ENABLE_CUSTOMER_RECOGNITION ENABLE_ORDER_TRACKING ENABLE_MULTI_LANGUAGE
""".split()


def names_read_by_settings() -> set[str]:
    """The first text argument of a call, where it looks like a variable's name."""
    names = set()
    for file in SETTINGS:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                texts = [
                    a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                if texts and re.fullmatch(r"[A-Z][A-Z0-9_]+", texts[0]):
                    names.add(texts[0])
    return names


def assignments() -> dict[str, tuple[bool, str]]:
    """Name -> (commented out, value)."""
    matches = [match for line in EXAMPLE.read_text().splitlines() if (match := ASSIGNMENT.match(line))]
    found = {match[2]: (match[1] == "#", match[3]) for match in matches}
    assert len(found) == len(matches), "a name is given twice"
    return found


def test_every_name_that_the_settings_read_is_explained():
    assert names_read_by_settings() - set(assignments()) == set()
    assert set(DOCUMENTED) - set(assignments()) == set()


def test_every_name_in_it_is_read_by_something():
    known = names_read_by_settings() | CONTAINERS_ONLY
    assert set(assignments()) - known == set()
    compose = (ROOT / "docker-compose.yml").read_text()
    assert all(f"${{{name}" in compose for name in CONTAINERS_ONLY)


def test_every_setting_has_an_explanation_right_above_it():
    lines = EXAMPLE.read_text().splitlines()
    for above, line in zip(lines, lines[1:], strict=False):
        if ASSIGNMENT.match(line):
            assert above.startswith("# ") and not above.startswith("# ----"), f"{line} is not explained"


def test_what_is_commented_out_shows_the_default(monkeypatch):
    optional = {name: value for name, (commented, value) in assignments().items() if commented}
    del optional["APP_ENV"]
    for name in optional:
        monkeypatch.delenv(name, raising=False)
    defaults = read_settings()
    for name, value in optional.items():
        if value:
            monkeypatch.setenv(name, value)
    assert read_settings() == defaults


def test_it_holds_no_secret_and_leaves_only_the_required_open():
    required = {name for name, (commented, _) in assignments().items() if not commented}
    assert required == set(GENERATED)
    values = dotenv_values(EXAMPLE)
    assert not any(values[name] for name in required)


@pytest.mark.parametrize("content", ["", EXAMPLE.read_text()])
def test_a_developer_may_start_from_nothing_or_from_a_copy(tmp_path, monkeypatch, content):
    for name in names_read_by_settings():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    env_file = tmp_path / ".env"
    env_file.write_text(content)
    before = dict(os.environ)
    try:
        assert set(load_or_generate(env_file)) == set(GENERATED)
        settings = read_settings()
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert settings.app_env == "development"
    assert settings.whatsapp.dev_mode
