"""The whole product from outside: real processes, real HTTP, real voices, on both databases."""
