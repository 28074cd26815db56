"""How Chatcart is brought up: on one machine (`local`), and the preparation that every way shares."""
