"""Imports a menu from a CSV or JSON file: all of it, or nothing and a list of every bad row.

    menu = read_menu(content, Rules.of(shop.policy))
    imported = shop.run(lambda work: import_menu(work, menu))

A file says what it names: a column (a key in JSON) that it does not have is left as it is in the shop; a
blank cell (null in JSON) is blank, for the stock unlimited. Products keep the order of the file.

**CSV**: UTF-8, with a header in any order and case, separated by commas, semicolons or tabs. Columns: sku,
name, category and price (or one price for all), and any of description, stock, available (yes or no),
aliases, removable (both lists, separated by `|`), tax_class, picture (a file's name) and options:

    Size!: Small=-200 | Large=+500 ; Milk: Oat~oatly=+300 | Soy=+300 ; Extras*3: Cheese=+400

Choices are separated by `;` or a new line, their options by `|`. `!` marks a choice that every unit has, its
first option unless another is named; `*3` lets up to three options be chosen (otherwise one); `=` what the
option adds to or takes off the price (nothing if left out); `~` another name of the option. A choice is
spelled out once: `Size` alone, in another row, is the choice that this file or the shop has by that name.
Names with these signs in them need JSON.

**JSON**: `{"products": [{"sku", "name", ..., "options": ["Size"]}], "option_groups": [{"name", "required",
"most", "options": [{"name", "price_difference", "aliases"}]}]}`. Also the menus of order-parsing data sets,
`{"products": [{"id", "category", "aliases"}], "options": {slot: {value: [aliases]}}}`: names and skus are
made of the ids, every product has all options, and the price is one for all. One `size` can be chosen, of
every other slot several.
"""

from shop.menu_import.apply import Imported, import_menu
from shop.menu_import.read import read_menu
from shop.menu_import.rows import Menu, MenuRefused, Problem, Rules

__all__ = ["Imported", "Menu", "MenuRefused", "Problem", "Rules", "import_menu", "read_menu"]
