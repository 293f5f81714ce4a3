"""Twilio: signed form posts in, TwiML out.

`signature` verifies, `facts` reads, `render` writes; `player` plays Twilio's own part for try-outs and tests.
It must never emit TwiML that a provider could refuse: every document in a test is validated against Twilio's schema.
"""
