"""Examine the object storage: whether it is there and lets us in."""

from collections.abc import Iterator

from gateway.audio.library import Library
from gateway.audio.shared_library import SharedLibrary
from gateway.bucket import StorageError
from gateway.workflows.examine import Finding, Verdict


def examine_storage(library: Library) -> Iterator[Finding]:
    """Ask the bucket for its list, where there is a bucket; nothing is written."""
    if not isinstance(library, SharedLibrary):
        return
    try:
        library.bucket.demand()
    except StorageError as error:
        cure = (
            "check NOTICE_GATEWAY_STORAGE_URL, NOTICE_GATEWAY_STORAGE_ENDPOINT and the credentials;"
            " calls go on meanwhile, with the renditions that this host has fetched before"
        )
        yield Finding(subject="storage", verdict=Verdict.BAD, found=str(error), cure=cure)
        return
    yield Finding(subject="storage", verdict=Verdict.GOOD, found=f"{library.bucket.url} answers")
