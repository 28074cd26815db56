"""A customer's window of the local WhatsApp."""

from __future__ import annotations

from playwright.sync_api import Page, expect


class ChatWindow:
    """Says something as a customer, and waits for what the bot answers."""

    def __init__(self, page: Page, number: str, name: str) -> None:
        self.page = page
        self.number = number
        self.name = name
        page.goto("/")
        page.evaluate(
            "([name, phone]) => localStorage.setItem("
            "'chatcart.local-whatsapp.customers', JSON.stringify([{name, phone}]))",
            [name, number],
        )
        page.reload()

    def say(self, text: str, answer: str) -> None:
        """Write a message; the bot's next message has `answer` in it."""
        self.page.locator("#message-input").fill(text)
        self.page.locator("#send").click()
        self.hear(answer)

    def hear(self, text: str) -> None:
        """The bot has written something with `text` in it, last of all."""
        expect(self.page.locator("#messages > li").last).to_contain_text(text, ignore_case=True)
