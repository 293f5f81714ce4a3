"""SIP: signed JSON from the bridge to Kamailio in, JSON steps out.

`signature` verifies, `facts` reads, `render` writes; `bridge` is the process between Kamailio and the gateway.
It must never name a notice to Kamailio: what is played, and to whom, is between gateway and bridge.
"""
