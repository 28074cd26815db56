"""Every setting of Chatcart, read from the environment once and handed on as frozen values.

Both planes read their settings here, so that one name means one thing everywhere; `.env.example`
explains each. Importing this module reads nothing: call `read_settings()`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from dotenv import load_dotenv
from environs import Env, EnvValidationError, validate

from settings import checks
from settings.checks import KNOWN_PAYMENT_PROVIDERS
from settings.values import (
    CONVERSATIONS_AT_ONCE,
    DEVELOPMENT,
    JSON,
    MOST_THAT_WAIT,
    PRODUCTION,
    TEST,
    TEXT,
    FeatureFlags,
    LlmSettings,
    PaymentSettings,
    PrivacySettings,
    RedisSettings,
    Settings,
    ShopSettings,
    WhatsAppSettings,
)

__all__ = [
    "CONVERSATIONS_AT_ONCE",
    "DEVELOPMENT",
    "KNOWN_PAYMENT_PROVIDERS",
    "PRODUCTION",
    "TEST",
    "FeatureFlags",
    "LlmSettings",
    "PaymentSettings",
    "PrivacySettings",
    "RedisSettings",
    "SettingError",
    "Settings",
    "ShopSettings",
    "WhatsAppSettings",
    "exit_with",
    "load_development_files",
    "read_settings",
    "read_settings_or_exit",
]

ENV_FILE = Path(".env")
DEFAULT_STATE_DIR = ".state"
SERVERS_FILE = "servers.env"
STATUS_PATH = "/webhooks/whatsapp/status"


class SettingError(Exception):
    """A setting is missing or wrong; the message is one line that names it."""


def read_settings() -> Settings:
    """Read and check all settings.

    Raises:
        SettingError: if a setting is missing or wrong; the message names the first one, in one line.
    """
    if os.environ.get("APP_ENV", DEVELOPMENT) == DEVELOPMENT:
        load_development_files()
    env = Env(eager=False)
    try:
        settings = _parse(env)
        env.seal()
    except EnvValidationError as error:
        raise SettingError(_first_problem(error)) from None
    _check_together(settings)
    return settings


def load_development_files() -> None:
    """On a developer's machine: what `make run` generated (.env) and where its embedded servers are.

    The environment wins over both, so that Rasa's own commands work in a plain terminal.
    """
    load_dotenv(ENV_FILE)
    load_dotenv(Path(os.environ.get("STATE_DIR", DEFAULT_STATE_DIR)) / SERVERS_FILE)


def read_settings_or_exit() -> Settings:
    """Read the settings for a program: a wrong one is one line on standard error and exit code 1."""
    try:
        return read_settings()
    except SettingError as error:
        exit_with(str(error))


def exit_with(line: str) -> NoReturn:
    """End the program with one line for the operator and exit code 1."""
    print(f"chatcart: {line}", file=sys.stderr)
    raise SystemExit(1)


def _parse(env: Env) -> Settings:
    port = _port(env, "PORT", 4000)
    rasa_port = _port(env, "RASA_PORT", 5005)
    actions_port = _port(env, "ACTIONS_PORT", 5055)
    public_base_url = _http_url(env, "PUBLIC_BASE_URL", f"http://127.0.0.1:{port}")
    return Settings(
        app_env=env.str("APP_ENV", DEVELOPMENT, validate=validate.OneOf([DEVELOPMENT, PRODUCTION, TEST])),
        bind_host=_text(env, "BIND_HOST", "127.0.0.1"),
        port=port,
        rasa_port=rasa_port,
        actions_port=actions_port,
        actions_processes=env.int("ACTIONS_PROCESSES", 1, validate=validate.Range(1, 32)),
        metrics_port=_port(env, "METRICS_PORT", 9464),
        log_format=_log_format(env),
        state_dir=Path(_text(env, "STATE_DIR", DEFAULT_STATE_DIR)),
        public_base_url=public_base_url,
        web_url=_http_url(env, "WEB_URL", f"http://127.0.0.1:{port}"),
        rasa_url=_http_url(env, "RASA_URL", f"http://127.0.0.1:{rasa_port}"),
        actions_url=_http_url(env, "ACTIONS_URL", f"http://127.0.0.1:{actions_port}"),
        database_url=_database_url(env),
        database_pool_size=env.int("DATABASE_POOL_SIZE", 10, validate=validate.Range(1, 20)),
        redis=RedisSettings(
            host=_text(env, "REDIS_HOST", "") or None,
            port=_port(env, "REDIS_PORT", 6379),
            password=_text(env, "REDIS_PASSWORD", "") or None,
            ssl=_flag(env, "REDIS_SSL", False),
        ),
        session_minutes=env.int("SESSION_MINUTES", 30, validate=validate.Range(1, 24 * 60)),
        catalogue_minutes=env.int("CATALOGUE_MINUTES", 60, validate=validate.Range(1, 24 * 60)),
        customer_cache_hours=env.int("CUSTOMER_CACHE_HOURS", 24, validate=validate.Range(1, 30 * 24)),
        whatsapp=_parse_whatsapp(env, public_base_url),
        shop=_parse_shop(env),
        payments=_parse_payments(env),
        privacy=_parse_privacy(env),
        flags=FeatureFlags(
            payment_processing=_flag(env, "ENABLE_PAYMENT_PROCESSING", True),
            customer_recognition=_flag(env, "ENABLE_CUSTOMER_RECOGNITION", True),
            order_tracking=_flag(env, "ENABLE_ORDER_TRACKING", True),
            multi_language=_flag(env, "ENABLE_MULTI_LANGUAGE", True),
        ),
        llm=_parse_llm(env),
    )


def _log_format(env: Env) -> str:
    usual = JSON if os.environ.get("APP_ENV") == PRODUCTION else TEXT
    return str(env.str("LOG_FORMAT", usual, validate=validate.OneOf([JSON, TEXT])))


def _parse_whatsapp(env: Env, public_base_url: str) -> WhatsAppSettings:
    tokens = (
        _required(env, "TWILIO_AUTH_TOKEN"),
        _text(env, "TWILIO_AUTH_TOKEN_NEXT", ""),
    )
    api_base_url = _http_url(env, "TWILIO_API_BASE_URL", "") or None
    development = os.environ.get("APP_ENV", DEVELOPMENT) == DEVELOPMENT
    # On a developer's machine nothing leaves it unless an API to send to is named.
    dev_mode = _flag(env, "WHATSAPP_DEV_MODE", development and api_base_url is None)
    reachable = public_base_url.startswith(
        "https:"
    )  # Twilio refuses other addresses; the local WhatsApp none
    return WhatsAppSettings(
        account_sid=_required(env, "TWILIO_ACCOUNT_SID", checks.twilio_account_sid),
        auth_tokens=tuple(token for token in tokens if token),
        number=_required(env, "TWILIO_WHATSAPP_NUMBER", checks.e164).removeprefix("whatsapp:"),
        api_base_url=api_base_url,
        webhook_verify_token=_required(env, "WHATSAPP_WEBHOOK_VERIFY_TOKEN"),
        dev_mode=dev_mode,
        most_per_minute=env.int("INBOUND_PER_MINUTE", 30, validate=validate.Range(0, 10_000)),
        most_sent_per_second=env.float("OUTBOUND_PER_SECOND", 80, validate=validate.Range(0, 10_000)),
        content_sids=checks.content_sids(
            _checked(env, "WHATSAPP_CONTENT_SIDS", checks.content_sids_or_blank) or ""
        ),
        status_callback=public_base_url + STATUS_PATH if reachable or dev_mode else None,
    )


def _parse_shop(env: Env) -> ShopSettings:
    timezone = env.str("SHOP_TIMEZONE", "Africa/Lagos", validate=checks.known_timezone)
    tax_classes = env.str("TAX_CLASSES", "", validate=checks.tax_rates_or_blank)
    return ShopSettings(
        business_name=_text(env, "BUSINESS_NAME", "Chatcart Kitchen"),
        currency=env.str("CURRENCY", "NGN", validate=checks.currency),
        tax_rate=env.decimal("TAX_RATE", Decimal("0.075"), validate=validate.Range(0, 1)),
        payment_timeout_minutes=env.int(
            "PAYMENT_TIMEOUT_MINUTES", 30, validate=validate.Range(1, 7 * 24 * 60)
        ),
        payment_providers=checks.names_in(
            env.str("PAYMENT_PROVIDERS", "sandbox", validate=checks.known_providers) or ""
        ),
        tax_classes=checks.tax_rates(tax_classes or ""),
        timezone=timezone,
        opening_hours=_checked(env, "OPENING_HOURS", checks.opening_hours_or_blank) or None,
        delivery_fee=_amount(env, "DELIVERY_FEE"),
        delivery_minimum=_amount(env, "DELIVERY_MINIMUM") or Decimal(0),
        cart_hours=env.int("CART_HOURS", 24, validate=validate.Range(1, 30 * 24)),
        bank_transfer_hours=env.int("BANK_TRANSFER_HOURS", 24, validate=validate.Range(1, 14 * 24)),
        bank_account=_text(env, "BANK_ACCOUNT", ""),
        cash_limit=_amount(env, "CASH_LIMIT"),
        handoff_idle_minutes=env.int("HANDOFF_IDLE_MINUTES", 120, validate=validate.Range(1, 7 * 24 * 60)),
    )


def _parse_payments(env: Env) -> PaymentSettings:
    secrets = (_text(env, "STRIPE_WEBHOOK_SECRET", ""), _text(env, "STRIPE_WEBHOOK_SECRET_NEXT", ""))
    return PaymentSettings(
        stripe_secret_key=_text(env, "STRIPE_SECRET_KEY", "") or None,
        stripe_webhook_secrets=tuple(secret for secret in secrets if secret),
        stripe_api_base_url=_http_url(env, "STRIPE_API_BASE_URL", "") or None,
        paystack_secret_key=_text(env, "PAYSTACK_SECRET_KEY", "") or None,
        paystack_api_base_url=_http_url(env, "PAYSTACK_API_BASE_URL", "") or None,
        paystack_customer_email=_text(env, "PAYSTACK_CUSTOMER_EMAIL", "") or None,
    )


def _parse_privacy(env: Env) -> PrivacySettings:
    following = _checked(env, "PHONE_INDEX_KEY_NEXT", checks.blank_or_long_enough_for_a_key)
    return PrivacySettings(
        phone_encryption_keys=_encryption_keys(env),
        phone_index_key=_required(env, "PHONE_INDEX_KEY", checks.long_enough_for_a_key).encode(),
        phone_index_key_next=following.encode() if following else None,
    )


def _parse_llm(env: Env) -> LlmSettings | None:
    base_url = _http_url(env, "LLM_BASE_URL", "")
    model = _text(env, "LLM_MODEL", "")
    parsed = LlmSettings(
        base_url=base_url,
        model=model,
        api_key=_text(env, "LLM_API_KEY", "") or None,
        deadline_seconds=env.float("LLM_DEADLINE_SECONDS", 1.5, validate=validate.Range(0.1, 7)),
        most_at_once=env.int("LLM_CALLS_AT_ONCE", 4, validate=validate.Range(1, MOST_THAT_WAIT)),
        daily_calls=env.int("LLM_DAILY_CALLS", 2000, validate=validate.Range(0, 10_000_000)),
        daily_calls_per_customer=env.int(
            "LLM_DAILY_CALLS_PER_CUSTOMER", 20, validate=validate.Range(0, 10_000)
        ),
        cache_hours=env.int("LLM_CACHE_HOURS", 24, validate=validate.Range(1, 30 * 24)),
        input_cost=env.decimal("LLM_INPUT_COST", Decimal(0), validate=validate.Range(0, 10_000)),
        output_cost=env.decimal("LLM_OUTPUT_COST", Decimal(0), validate=validate.Range(0, 10_000)),
    )
    return parsed if base_url else None


def _check_places(llm: LlmSettings, processes: int) -> None:
    """While a model hangs, most conversations must go on."""
    if llm.most_at_once * processes > MOST_THAT_WAIT:
        raise SettingError(
            f"LLM_CALLS_AT_ONCE: {llm.most_at_once} calls times {processes} ACTIONS_PROCESSES are more than"
            f" {MOST_THAT_WAIT}, half of the conversations that a dialogue server works on"
        )


def _check_together(settings: Settings) -> None:
    if settings.flags.payment_processing:
        _check_providers(settings.shop, settings.payments)
    if settings.llm is not None and not settings.llm.model:
        raise SettingError("LLM_MODEL: missing; LLM_BASE_URL names a server")
    if settings.llm is not None:
        _check_places(settings.llm, settings.actions_processes)
    if not settings.is_production:
        return
    if "sandbox" in settings.shop.payment_providers and settings.flags.payment_processing:
        raise SettingError("PAYMENT_PROVIDERS: the sandbox does not exist in production")
    if settings.whatsapp.dev_mode:
        raise SettingError("WHATSAPP_DEV_MODE: the local WhatsApp does not exist in production")
    if settings.database_url is None:
        raise SettingError("DATABASE_URL: missing; production needs a real PostgreSQL")
    if settings.redis.host is None:
        raise SettingError("REDIS_HOST: missing; production needs a real Redis")


def _check_providers(shop: ShopSettings, keys: PaymentSettings) -> None:
    needed = {
        "stripe": (
            ("STRIPE_SECRET_KEY", keys.stripe_secret_key),
            ("STRIPE_WEBHOOK_SECRET", keys.stripe_webhook_secrets),
        ),
        "paystack": (
            ("PAYSTACK_SECRET_KEY", keys.paystack_secret_key),
            ("PAYSTACK_CUSTOMER_EMAIL", keys.paystack_customer_email),
        ),
        "bank_transfer": (("BANK_ACCOUNT", shop.bank_account),),
    }
    if "paystack" in shop.payment_providers and shop.currency not in checks.PAYSTACK_CURRENCIES:
        raise SettingError(f"CURRENCY: Paystack takes {', '.join(checks.PAYSTACK_CURRENCIES)} only")
    for provider in shop.payment_providers:
        for name, value in needed.get(provider, ()):
            if not value:
                raise SettingError(f"{name}: missing; PAYMENT_PROVIDERS offers {provider}")


def _text(env: Env, name: str, default: str) -> str:
    return str(env.str(name, default)).strip()


def _checked(env: Env, name: str, check: Callable[[str], None]) -> str:
    return str(env.str(name, "", validate=check) or "").strip()


def _required(env: Env, name: str, check: Callable[[str], None] | None = None) -> str:
    value = env.str(name, validate=[checks.not_blank, *([check] if check else [])])
    return str(value or "").strip()


def _flag(env: Env, name: str, default: bool) -> bool:
    if os.environ.get(name, "").strip() == "":
        return default
    return bool(env.bool(name, default))


def _port(env: Env, name: str, default: int) -> int:
    return int(env.int(name, default, validate=validate.Range(1, 65535)) or default)


def _amount(env: Env, name: str) -> Decimal | None:
    value = env.str(name, "", validate=checks.blank_or_amount)
    return Decimal(value.strip()) if value and value.strip() else None


def _http_url(env: Env, name: str, default: str) -> str:
    value = env.str(name, default, validate=checks.http_url_or_blank)
    return str(value or default).rstrip("/")


def _database_url(env: Env) -> str | None:
    value = env.str("DATABASE_URL", "", validate=checks.postgresql_url_or_blank)
    if not value:
        return None
    return re.sub(r"^postgres(ql)?(\+psycopg2)?://", "postgresql+psycopg2://", str(value))


def _encryption_keys(env: Env) -> tuple[str, ...]:
    value = _required(env, "PHONE_ENCRYPTION_KEYS", checks.fernet_keys)
    return tuple(key.strip() for key in value.split(",") if key.strip())


def _first_problem(error: EnvValidationError) -> str:
    messages = error.error_messages
    if isinstance(messages, dict) and messages:
        name, problems = next(iter(messages.items()))
        problem = problems[0] if isinstance(problems, list) else problems
        problem = str(problem).replace("Environment variable not set", "is not set")
        return f"{name}: {problem}".rstrip(".").replace("\n", " ")
    return str(error).replace("\n", " ")
