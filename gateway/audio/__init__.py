"""Sound: recordings and spoken texts are judged, levelled, encoded for the telephone and stored by their content.

It may import the standard library, av, numpy, pyttsx3, espeakng_loader, `gateway.domain` and the rooms from
`gateway.privacy` downward. It must never be called during a call; it reaches no network but the bucket of renditions.
"""
