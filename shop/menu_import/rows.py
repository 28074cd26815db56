"""The rows of a menu's file, checked one by one; what is wrong with them is collected with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, NamedTuple, TypeVar

from babel.numbers import get_currency_precision
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from settings import ShopSettings
from shop.menu_import import values

STANDARD_TAX = "standard"
MOST_OF_A_GROUP = 100


class Problem(NamedTuple):
    """Why a row is bad, and the line of the file where it begins."""

    line: int
    reason: str


class MenuRefused(Exception):
    """A file that was not imported; nothing of it was written. `problems` are in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("; ".join(f"line {line}: {reason}" for line, reason in self.problems))


@dataclass(frozen=True)
class Rules:
    """What the shop allows. `price` is that of products for which the file names none."""

    currency: str
    tax_classes: frozenset[str] = frozenset({STANDARD_TAX})
    price: Decimal | None = None

    @classmethod
    def of(cls, policy: ShopSettings, price: str = "") -> Rules:
        """The rules of a shop.

        Raises:
            ValueError: if the price is none; with the reason.
        """
        rules = cls(policy.currency, frozenset({STANDARD_TAX, *policy.tax_classes}))
        if not price.strip():
            return rules
        one_for_all = values.price(price, rules.currency, rules.decimals)
        return cls(rules.currency, rules.tax_classes, one_for_all)

    @property
    def decimals(self) -> int:
        """How many decimals an amount may have."""
        return min(get_currency_precision(self.currency), values.STORED_DECIMALS)


def _rules(info: ValidationInfo) -> Rules:
    assert isinstance(info.context, Rules)
    return info.context


def _price(value: object, info: ValidationInfo) -> Decimal:
    rules = _rules(info)
    if value is None or value == "":
        if rules.price is None:
            raise ValueError("is blank; PRICE=1500 would be the price of all that have none")
        return rules.price
    return values.price(value, rules.currency, rules.decimals)


def _price_difference(value: object, info: ValidationInfo) -> Decimal:
    rules = _rules(info)
    return Decimal(0) if value is None else values.money(value, rules.currency, rules.decimals)


def _tax_class(value: object, info: ValidationInfo) -> str:
    name = values.text(value).casefold() or STANDARD_TAX
    known = _rules(info).tax_classes
    if name not in known:
        raise ValueError(f"{values.shown(name)} is unknown; known: {', '.join(sorted(known))}")
    return name


def _required(value: object) -> bool:
    return value is not None and values.flag(value)


def _most(value: object) -> int:
    most = 1 if value is None else values.whole(value)
    if not 1 <= most <= MOST_OF_A_GROUP:
        raise ValueError(f"{most} is not between 1 and {MOST_OF_A_GROUP}")
    return most


Name = Annotated[str, BeforeValidator(values.limited(values.NAME_LENGTH))]
Names = Annotated[list[str], BeforeValidator(values.names)]


class _Row(BaseModel):
    """What all rows share: they are objects, and everything in them is known."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def check_keys(cls, data: object) -> object:
        """Before anything else, since a word in the wrong place is easily taken for a value left out."""
        if not isinstance(data, Mapping):
            raise ValueError(f"{values.shown(data)} is not an object in braces")
        unknown = [values.shown(key) for key in data if key not in cls.model_fields]
        if unknown:
            known = ", ".join(cls.model_fields)
            raise ValueError(f"has what is not known: {', '.join(unknown)} (known: {known})")
        return data


class ProductRow(_Row):
    """A product. Fields that the file does not have are unset: the shop keeps what it has."""

    sku: Annotated[str, BeforeValidator(values.limited(64))]
    name: Name
    category: Name
    price: Annotated[Decimal, BeforeValidator(_price)] = Field(None, validate_default=True)
    description: Annotated[str, BeforeValidator(values.description)] = ""
    stock: Annotated[int | None, BeforeValidator(values.stock)] = None
    available: Annotated[bool, BeforeValidator(values.flag)] = True
    aliases: Names = []
    removable: Names = []
    tax_class: Annotated[str, BeforeValidator(_tax_class)] = STANDARD_TAX
    picture: Annotated[str | None, BeforeValidator(values.picture)] = None
    options: Names = []


class OptionRow(_Row):
    """An option of a group."""

    name: Name
    price_difference: Annotated[Decimal, BeforeValidator(_price_difference)] = Decimal(0)
    aliases: Names = []


class GroupRow(_Row):
    """A choice about products."""

    name: Name
    required: Annotated[bool, BeforeValidator(_required)] = False
    most: Annotated[int, BeforeValidator(_most)] = 1
    options: list[OptionRow]

    @model_validator(mode="after")
    def check_options(self) -> GroupRow:
        """There are options, each once; a required choice is of one."""
        if not self.options:
            raise ValueError("has no options")
        seen: set[str] = set()
        for option in self.options:
            if option.name.casefold() in seen:
                raise ValueError(f"has the option {values.shown(option.name)} twice")
            seen.add(option.name.casefold())
        if self.required and self.most != 1:
            raise ValueError("is required, so exactly one option is chosen; leave the number away")
        return self


Row = TypeVar("Row", bound=BaseModel)


@dataclass
class Menu:
    """What a file holds: its good rows with their lines, and what is wrong with the others."""

    rules: Rules
    products: dict[str, tuple[int, ProductRow]] = field(default_factory=dict)
    groups: dict[str, tuple[int, GroupRow]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    spoiled_groups: set[str] = field(default_factory=set)
    """Names of groups that are in the file, but bad."""
    _skus: dict[str, int] = field(default_factory=dict)

    def refuse(self, line: int, reason: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(line, reason))

    def add_product(self, line: int, data: object) -> None:
        """A product as the file has it."""
        row = self._checked(ProductRow, line, data)
        sku = row.sku if row else _name_in(data, "sku")
        if sku and sku in self._skus:
            self.refuse(line, f"the sku {values.shown(sku)} is already in line {self._skus[sku]}")
            return
        if sku:
            self._skus[sku] = line
        if row:
            self.products[row.sku] = (line, row)

    def add_group(self, line: int, data: object, *, may_repeat: bool = False) -> None:
        """A group as the file has it; where it may be repeated, it must always be the same."""
        row = self._checked(GroupRow, line, data, "the choice ")
        if row is None:
            self.spoiled_groups.add(_name_in(data, "name"))
            return
        first, same = self.groups.setdefault(row.name, (line, row))
        if same is row or (may_repeat and same == row):
            return
        name = values.shown(row.name)
        if may_repeat:
            way_out = f"write {name} alone, or give it another name"
            self.refuse(line, f"the choice {name} is written differently in line {first}; {way_out}")
        else:
            self.refuse(line, f"the choice {name} is already in line {first}")

    def _checked(self, model: type[Row], line: int, data: object, prefix: str = "") -> Row | None:
        """The row, or None after noting all that is wrong with it."""
        try:
            return model.model_validate(data, context=self.rules)
        except ValidationError as error:
            subject = prefix and f"{prefix}{values.shown(_name_in(data, 'name'))}"
            for details in error.errors():
                self.refuse(line, _reason(subject, details))
            return None


def _name_in(data: object, key: str) -> str:
    """A name as far as it can be told in a bad row."""
    name = data.get(key) if isinstance(data, Mapping) else None
    return " ".join(name.split()) if isinstance(name, str) else ""


def _reason(subject: str, details: Mapping[str, object]) -> str:
    """What pydantic found, in plain words."""
    place = details["loc"]
    assert isinstance(place, tuple)
    where = " ".join(f"number {part + 1}" if isinstance(part, int) else str(part) for part in place)
    context = details.get("ctx")
    if details["type"] == "missing":
        why = "is missing"
    elif isinstance(context, Mapping) and "error" in context:
        why = str(context["error"])
    else:
        why = f"{values.shown(details['input'])} does not belong there"
    return " ".join(part for part in (subject, where, why) if part)
