"""How well orders are understood: menus of other kinds, sentences that nobody wrote for the parser."""
