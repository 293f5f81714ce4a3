"""The SIP edge: Kamailio and rtpengine, as the gateway's owner has them run.

Here are their settings, the files that are written from these, and the starting and ending of their processes for
development. It may import the domain's errors and the settings; it must never take part in a call.
"""
