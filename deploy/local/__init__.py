"""The whole bot on one machine: embedded servers, preparation, processes, and their end."""
