"""Version 1 of the REST API: the skeleton that all resources share, and one file per resource.

Imports `assembly`, `workflows` and what lies below; everything of Flask and APIFlask stays in this room.
It must never answer with a stack trace, log a body, a number or a name, or let a request pass that the table of rights
does not list.
"""
