"""Orders in people's own words: from a message to order lines, on any menu. Knows no Rasa.

`reader.OrderReader` is the way in. A message goes through `words` (tokens), `cover` (the best reading of
every word: a name of the menu, a number, or a word that does something) and `grammar` (what belongs to
what). `index`, `forms` and `spellings` know how names may be written. What a language says in its own way
(numbers, negation, connectors) is data in `languages/`.
"""
