"""A language model that proposes what a customer may have meant. It knows no Rasa, and changes nothing."""
