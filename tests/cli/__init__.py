"""The command `notice-gateway` as its users type it."""
