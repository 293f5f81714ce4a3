"""The espeak-ng library of the wheel, loaded by importing this; pyttsx3's driver must be imported after it.

For the confined speaker only: native code of this kind has no place in the gateway's own processes.
"""

import ctypes

import espeakng_loader

# The driver asks the system for "libespeak-ng.so.1". Once a library of that name is in the process, for all to see,
# the dynamic linker hands out that one: no system package is needed, and none can get in the way.
LIBRARY = ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
