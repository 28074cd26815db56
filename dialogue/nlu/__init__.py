"""NLU components: the order parser and what it reads."""
