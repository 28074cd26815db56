"""The shop's console at /console: everything that its staff works with, in a browser.

Every page is a class with `routes()`, made of `Console.route`, which names the permission that the route
needs; `pages.py` lists them. Pages are made on the server and work without JavaScript; where there is some,
htmx swaps parts of them.
"""
