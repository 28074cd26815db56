"""Orders in people's own words: from a message to order lines, on any menu. Knows no Rasa.

`parser.OrderReader` is the way in. A message goes through `words` (tokens), `cover` (the best reading
of every word: product, option, number, or a word of the language) and `grammar` (what belongs to what).
What a language says in its own way (numbers, negation, connectors) is data in `languages/`.
"""
