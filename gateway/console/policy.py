"""What browsers may load for a page of the console (Content Security Policy, level 3)."""

# Sound that was just recorded is a blob of the page's own; what is heard before it is kept stands in the page (data:).
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A page that shows a document of ours in a frame.
PAGE_WITH_DOCUMENT = f"{PAGE}; frame-src 'self'; object-src 'self'"
# The document itself: nothing runs in it and nothing is loaded by it, beyond what shows a PDF.
DOCUMENT = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
HEADER = "Content-Security-Policy"
