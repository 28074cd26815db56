"""Every setting of Chatcart, read from the environment once and handed on as frozen values.

Both planes read their settings here, so that one name means one thing everywhere; `.env.example`
explains each. Importing this module reads nothing: call `read_settings()`.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from dotenv import load_dotenv
from environs import Env, EnvValidationError, ValidationError, validate

DEVELOPMENT, PRODUCTION, TEST = "development", "production", "test"
KNOWN_PAYMENT_PROVIDERS = ("sandbox",)
MINIMUM_KEY_LENGTH = 32
ENV_FILE = Path(".env")
DEFAULT_STATE_DIR = ".state"
SERVERS_FILE = "servers.env"


class SettingError(Exception):
    """A setting is missing or wrong; the message is one line that names it."""


@dataclass(frozen=True)
class RedisSettings:
    """Where Redis (or Valkey) listens. `host` is None when the embedded server is to be used."""

    host: str | None
    port: int
    password: str | None
    ssl: bool


@dataclass(frozen=True)
class WhatsAppSettings:
    """The Twilio account and how replies leave. `api_base_url` is None for Twilio's real API."""

    account_sid: str
    auth_tokens: tuple[str, ...]
    number: str
    api_base_url: str | None
    webhook_verify_token: str
    dev_mode: bool


@dataclass(frozen=True)
class ShopSettings:
    """What the shop is and how it sells. `tax_rate` is a fraction: 0.075 is 7.5 %."""

    business_name: str
    currency: str
    tax_rate: Decimal
    payment_timeout_minutes: int
    payment_providers: tuple[str, ...]


@dataclass(frozen=True)
class PrivacySettings:
    """Keys for phone numbers: Fernet keys (the first encrypts, all decrypt) and the HMAC look-up key."""

    phone_encryption_keys: tuple[str, ...]
    phone_index_key: bytes


@dataclass(frozen=True)
class FeatureFlags:
    """Features that a shop can switch off; see architecture: an absent feature is absent politely."""

    payment_processing: bool
    customer_recognition: bool
    order_tracking: bool
    multi_language: bool


@dataclass(frozen=True)
class Settings:
    """All settings of one process."""

    app_env: str
    bind_host: str
    port: int
    rasa_port: int
    actions_port: int
    state_dir: Path
    public_base_url: str
    web_url: str
    rasa_url: str
    actions_url: str
    database_url: str | None
    database_pool_size: int
    redis: RedisSettings
    session_minutes: int
    catalogue_minutes: int
    whatsapp: WhatsAppSettings
    shop: ShopSettings
    privacy: PrivacySettings
    flags: FeatureFlags

    @property
    def is_production(self) -> bool:
        """Whether development conveniences must refuse to exist."""
        return self.app_env == PRODUCTION


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
    return Settings(
        app_env=env.str("APP_ENV", DEVELOPMENT, validate=validate.OneOf([DEVELOPMENT, PRODUCTION, TEST])),
        bind_host=_text(env, "BIND_HOST", "127.0.0.1"),
        port=port,
        rasa_port=rasa_port,
        actions_port=actions_port,
        state_dir=Path(_text(env, "STATE_DIR", DEFAULT_STATE_DIR)),
        public_base_url=_http_url(env, "PUBLIC_BASE_URL", f"http://127.0.0.1:{port}"),
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
        whatsapp=_parse_whatsapp(env),
        shop=_parse_shop(env),
        privacy=PrivacySettings(
            phone_encryption_keys=_encryption_keys(env),
            phone_index_key=_required(env, "PHONE_INDEX_KEY", _long_enough_for_a_key).encode(),
        ),
        flags=FeatureFlags(
            payment_processing=_flag(env, "ENABLE_PAYMENT_PROCESSING", True),
            customer_recognition=_flag(env, "ENABLE_CUSTOMER_RECOGNITION", True),
            order_tracking=_flag(env, "ENABLE_ORDER_TRACKING", True),
            multi_language=_flag(env, "ENABLE_MULTI_LANGUAGE", True),
        ),
    )


def _parse_whatsapp(env: Env) -> WhatsAppSettings:
    tokens = (
        _required(env, "TWILIO_AUTH_TOKEN"),
        _text(env, "TWILIO_AUTH_TOKEN_NEXT", ""),
    )
    api_base_url = _http_url(env, "TWILIO_API_BASE_URL", "") or None
    development = os.environ.get("APP_ENV", DEVELOPMENT) == DEVELOPMENT
    return WhatsAppSettings(
        account_sid=_required(env, "TWILIO_ACCOUNT_SID", _twilio_account_sid),
        auth_tokens=tuple(token for token in tokens if token),
        number=_required(env, "TWILIO_WHATSAPP_NUMBER", _e164).removeprefix("whatsapp:"),
        api_base_url=api_base_url,
        webhook_verify_token=_required(env, "WHATSAPP_WEBHOOK_VERIFY_TOKEN"),
        # On a developer's machine nothing leaves it unless an API to send to is named.
        dev_mode=_flag(env, "WHATSAPP_DEV_MODE", development and api_base_url is None),
    )


def _parse_shop(env: Env) -> ShopSettings:
    return ShopSettings(
        business_name=_text(env, "BUSINESS_NAME", "Chatcart Kitchen"),
        currency=env.str("CURRENCY", "NGN", validate=validate.Regexp(r"^[A-Z]{3}$")),
        tax_rate=env.decimal("TAX_RATE", Decimal("0.075"), validate=validate.Range(0, 1)),
        payment_timeout_minutes=env.int(
            "PAYMENT_TIMEOUT_MINUTES", 30, validate=validate.Range(1, 7 * 24 * 60)
        ),
        payment_providers=tuple(env.list("PAYMENT_PROVIDERS", ["sandbox"], validate=_known_providers) or ()),
    )


def _check_together(settings: Settings) -> None:
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


def _text(env: Env, name: str, default: str) -> str:
    return str(env.str(name, default)).strip()


def _required(env: Env, name: str, check: Callable[[str], None] | None = None) -> str:
    value = env.str(name, validate=[_not_blank, *([check] if check else [])])
    return str(value or "").strip()


def _flag(env: Env, name: str, default: bool) -> bool:
    if os.environ.get(name, "").strip() == "":
        return default
    return bool(env.bool(name, default))


def _port(env: Env, name: str, default: int) -> int:
    return int(env.int(name, default, validate=validate.Range(1, 65535)) or default)


def _http_url(env: Env, name: str, default: str) -> str:
    value = env.str(name, default, validate=_http_url_or_blank)
    return str(value or default).rstrip("/")


def _database_url(env: Env) -> str | None:
    value = env.str("DATABASE_URL", "", validate=_postgresql_url_or_blank)
    if not value:
        return None
    return re.sub(r"^postgres(ql)?(\+psycopg2)?://", "postgresql+psycopg2://", str(value))


def _encryption_keys(env: Env) -> tuple[str, ...]:
    value = _required(env, "PHONE_ENCRYPTION_KEYS", _fernet_keys)
    return tuple(key.strip() for key in value.split(",") if key.strip())


def _not_blank(value: str) -> None:
    if not value.strip():
        raise ValidationError("is empty")


def _http_url_or_blank(value: str) -> None:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ValidationError("is not an http or https address")


def _postgresql_url_or_blank(value: str) -> None:
    if value and not re.match(r"^postgres(ql)?(\+psycopg2)?://", value):
        raise ValidationError("is not a postgresql:// address")


def _twilio_account_sid(value: str) -> None:
    if not re.fullmatch(r"AC[0-9a-zA-Z]+", value.strip()):
        raise ValidationError("is not a Twilio account SID (AC...)")


def _e164(value: str) -> None:
    if not re.fullmatch(r"(whatsapp:)?\+[1-9][0-9]{6,14}", value.strip()):
        raise ValidationError("is not an international phone number such as +14155238886")


def _long_enough_for_a_key(value: str) -> None:
    if len(value.strip()) < MINIMUM_KEY_LENGTH:
        raise ValidationError(f"is shorter than {MINIMUM_KEY_LENGTH} characters")


def _fernet_keys(value: str) -> None:
    for key in value.split(","):
        try:
            usable = len(base64.urlsafe_b64decode(key.strip())) == 32
        except ValueError:
            usable = False
        if not usable:
            raise ValidationError("holds something that is not a Fernet key (32 bytes in base64)")


def _known_providers(names: list[str]) -> None:
    unknown = [name for name in names if name not in KNOWN_PAYMENT_PROVIDERS]
    if unknown or not names:
        known = ", ".join(KNOWN_PAYMENT_PROVIDERS)
        raise ValidationError(f"knows {known}, not {unknown[0] if unknown else 'nothing'!r}")


def _first_problem(error: EnvValidationError) -> str:
    messages = error.error_messages
    if isinstance(messages, dict) and messages:
        name, problems = next(iter(messages.items()))
        problem = problems[0] if isinstance(problems, list) else problems
        problem = str(problem).replace("Environment variable not set", "is not set")
        return f"{name}: {problem}".rstrip(".").replace("\n", " ")
    return str(error).replace("\n", " ")
