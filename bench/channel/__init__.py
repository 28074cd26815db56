"""Messages through the signed webhook: Chatcart beside a stock Rasa project (`python -m bench.channel`)."""
