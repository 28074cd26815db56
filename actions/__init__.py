"""What Rasa asks for: read the tracker, call the shop, name a response, return events. Nothing else.

One module per documented conversation state; `anywhere` holds what is possible in every state.
"""
