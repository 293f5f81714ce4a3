"""The console: pages for clerks, approvers, operators, auditors and administrators, over the workflows of the API.

It may import the workflows and what lies below them, Flask, and the form and page libraries; it is blind to the API,
the command line and the providers. It must never hold a rule of its own about who may do what, or about the law.
"""
