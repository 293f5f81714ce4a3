"""The bench: what the gateway costs a call, measured against peers under the same server settings, as ratios.

It may import the gateway and the tests' fake voice, and starts servers on the loopback address only.
It must never touch a data folder that it did not make, nor a process that it did not start.
"""
