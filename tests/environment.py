"""The settings that tests run with; no file of the developer's machine takes part."""

from __future__ import annotations

ENVIRONMENT = {
    "APP_ENV": "test",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "test-token",
    "TWILIO_WHATSAPP_NUMBER": "whatsapp:+14155238886",
    "WHATSAPP_WEBHOOK_VERIFY_TOKEN": "test-verify-token",
    "WHATSAPP_DEV_MODE": "false",
    "PHONE_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "PHONE_INDEX_KEY": "an index key for tests, 32 characters or more",
    "BUSINESS_NAME": "Test Kitchen",
    "CURRENCY": "NGN",
    "TAX_RATE": "0.075",
    "PUBLIC_BASE_URL": "http://127.0.0.1:4000",
}
CUSTOMER_NUMBER = "+2348031234567"
STAFF_PASSWORD = "correct horse battery"
