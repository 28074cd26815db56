"""Three actions as small as they can be: no database, so what is compared is Rasa and not a shop."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

MENU = ("Burgers", "Rice", "Drinks", "Desserts")
PRICE = 800


class ShowMenu(Action):
    """Lists what there is."""

    def name(self) -> str:
        """The name in the domain."""
        return "action_show_menu"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Send the numbered list."""
        lines = (f"{number}. {name}" for number, name in enumerate(MENU, start=1))
        dispatcher.utter_message(text="\n".join(lines))
        return []


class AddToCart(Action):
    """Puts what was asked for into the cart, which is a slot."""

    def name(self) -> str:
        """The name in the domain."""
        return "action_add_to_cart"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Add a line; the form asks again the next time."""
        product, quantity = tracker.get_slot("product") or "Cola", tracker.get_slot("quantity") or "1"
        dispatcher.utter_message(text=f"Added {quantity} × {product}.")
        # One line at most: the conversation grows by its events, and not by this slot.
        return [SlotSet("cart", [f"{quantity} × {product}"]), SlotSet("quantity", None)]


class ViewCart(Action):
    """Shows the cart."""

    def name(self) -> str:
        """The name in the domain."""
        return "action_view_cart"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Send the cart's lines."""
        lines = tracker.get_slot("cart") or []
        dispatcher.utter_message(text="\n".join([*lines, f"Total: {PRICE * len(lines)}"]))
        return []
