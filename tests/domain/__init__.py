"""The rules of who hears what, tested without a database, a clock or a network."""
