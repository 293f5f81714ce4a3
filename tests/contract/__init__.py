"""Golden cases: what each dialect reads from a request, and what it writes for a stated plan."""
