"""The court notice gateway.

Rooms are layered downward only (see `pyproject.toml`, import contracts): entrances (`providers`, `api`,
`cli`), `workflows`, `register`, `audit` and `audio`, `privacy`, `db`, `domain`. Nothing here may import
upward, and no module holds state.
"""
