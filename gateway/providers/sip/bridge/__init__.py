"""The bridge: a process of its own between Kamailio (evapi), rtpengine (NG, keys) and the gateway (signed JSON).

Imports the dialect's signature and what is below the providers; nothing of the gateway's workflows runs here.
It must never keep a call waiting: whatever fails, Kamailio is told to connect, and media is let through.
"""
