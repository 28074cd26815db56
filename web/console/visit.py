"""A request of somebody who is signed in, and what a page may know of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile

from shop.sign_in import SignedIn
from web.console.permissions import Permission, allows


@dataclass(frozen=True)
class Visit:
    """Who asks, and the form that was sent, read within its limits (empty for GET)."""

    who: SignedIn
    form: FormData = field(default_factory=FormData)

    def may(self, permission: Permission) -> bool:
        """Whether who asks may do it: for templates that show a button, not instead of the route's guard."""
        return allows(self.who.role, permission)

    def text(self, name: str) -> str:
        """A field of the form as it was typed, without blanks around it; empty where there is none."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def file(self, name: str) -> UploadFile | None:
        """A file of the form; None where none was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def once(self) -> str:
        """The message id under which the form is carried out at most once, however often it is sent."""
        return f"console:{self.who.member_id}:{self.text('key')}"
