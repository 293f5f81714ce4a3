"""What was asked of the gateway: claims, by which a repeated request is carried out once, and jobs that outlast it.

Imports `privacy`, `db` and `domain`; works on a connection that its workflow opened.
It must never run anything itself: workflows do, and a worker calls them.
"""
