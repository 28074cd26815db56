"""The settings as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

DEVELOPMENT, PRODUCTION, TEST = "development", "production", "test"
JSON, TEXT = "json", "text"


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
    most_per_minute: int = 30
    """Messages of one customer that are taken in; 0: any number."""
    most_sent_per_second: float = 80
    """Messages that all senders together hand over to Twilio; 0: any number."""
    content_sids: Mapping[str, str] = field(default_factory=dict)
    """Twilio's content templates by what they are for: `quick_reply_2`, `list_5`, `notice`."""
    status_callback: str | None = None
    """Where Twilio tells what became of a message; None: nobody can reach us."""


@dataclass(frozen=True)
class ShopSettings:
    """What the shop is and how it sells. `tax_rate` is a fraction: 0.075 is 7.5 %."""

    business_name: str
    currency: str
    tax_rate: Decimal
    payment_timeout_minutes: int
    payment_providers: tuple[str, ...]
    tax_classes: Mapping[str, Decimal] = field(default_factory=dict)
    """Rates of the tax classes other than `standard`, as fractions."""
    timezone: str = "Africa/Lagos"
    opening_hours: str | None = None
    """In OpenStreetMap's notation (`Mo-Fr 09:00-21:00`); None: always open."""
    delivery_fee: Decimal | None = None
    """None: pickup only."""
    delivery_minimum: Decimal = Decimal(0)
    cart_hours: int = 24
    bank_transfer_hours: int = 24
    bank_account: str = ""
    """Where to transfer to, as customers read it."""
    cash_limit: Decimal | None = None
    """The largest order that may be paid in cash; None: any."""
    handoff_idle_minutes: int = 120
    """After so long without a word, a conversation that a person took goes back to the bot."""


@dataclass(frozen=True)
class PaymentSettings:
    """Keys of the payment providers; an API's address is None for the provider's real one."""

    stripe_secret_key: str | None = None
    stripe_webhook_secrets: tuple[str, ...] = ()
    stripe_api_base_url: str | None = None
    paystack_secret_key: str | None = None
    paystack_api_base_url: str | None = None
    paystack_customer_email: str | None = None


@dataclass(frozen=True)
class PrivacySettings:
    """Keys for phone numbers: Fernet keys (the first encrypts, all decrypt) and the HMAC look-up key.

    `phone_index_key_next` is the look-up key that comes next, while it is being rotated.
    """

    phone_encryption_keys: tuple[str, ...]
    phone_index_key: bytes
    phone_index_key_next: bytes | None = None


CONVERSATIONS_AT_ONCE = 16
"""That a dialogue server works on. Rasa computes on one core: more would each take longer than a lease."""
MOST_THAT_WAIT = CONVERSATIONS_AT_ONCE // 2
"""Of them, those that may wait for a language model: the other customers keep as many places."""


@dataclass(frozen=True)
class LlmSettings:
    """A language model behind an API of the OpenAI kind, and what it may cost. Costs are in any currency,
    for a million tokens."""

    base_url: str
    model: str
    api_key: str | None = None
    deadline_seconds: float = 1.5
    """Within this a customer is answered, with its help or without."""
    most_at_once: int = 4
    daily_calls: int = 2000
    daily_calls_per_customer: int = 20
    cache_hours: int = 24
    input_cost: Decimal = Decimal(0)
    output_cost: Decimal = Decimal(0)


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
    actions_processes: int
    metrics_port: int
    """The sender's; action servers take those after it."""
    log_format: str
    """`json`: a line is an object; `text`: for a person at a terminal."""
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
    customer_cache_hours: int
    whatsapp: WhatsAppSettings
    shop: ShopSettings
    payments: PaymentSettings
    privacy: PrivacySettings
    flags: FeatureFlags
    llm: LlmSettings | None = None
    """None: the bot does without."""

    @property
    def is_production(self) -> bool:
        """Whether development conveniences must refuse to exist."""
        return self.app_env == PRODUCTION
