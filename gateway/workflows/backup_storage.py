"""The object storage in backups: fetched into the archive, and put into an empty place when it is restored."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.bucket import Bucket, StorageError, bucket_of
from gateway.settings import Settings
from gateway.workflows.restoring_place import NotEmptyError

# As they are called in the archive, in the bucket and in the data folder.
SHARED = ("renditions", "vault")


def fetched(settings: Settings, draft: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of each object and `draft`, which holds its content until the next. Raises StorageError.

    Nothing is yielded where files lie in the data folder. What was removed since it was listed is left out.
    """
    bucket = bucket_of(settings)
    if bucket is None:
        return
    try:
        for folder in SHARED:
            for each in bucket.stored(folder):
                if bucket.download(each.name, draft):
                    yield each.name, draft
    finally:
        bucket.close()


@contextmanager
def shelved(settings: Settings, folder: Path) -> Iterator[None]:
    """Move what is shared from the staging `folder` into the bucket; take it out again where the restore fails.

    Raises NotEmptyError where something is there: another gateway may live on it. Raises StorageError.
    """
    bucket = bucket_of(settings)
    if bucket is None:
        yield
        return
    try:
        _refuse_what_is_there(bucket)
        yield from _moved(bucket, folder)
    finally:
        bucket.close()


def _moved(bucket: Bucket, folder: Path) -> Iterator[None]:
    sent: list[str] = []
    try:
        for top in (folder / each for each in SHARED):
            for path in sorted(each for each in top.rglob("*") if each.is_file()):
                sent.append(str(path.relative_to(folder)))
                bucket.put(sent[-1], path)
            shutil.rmtree(top, ignore_errors=True)
        yield
    except BaseException:
        for name in sent:
            with suppress(StorageError):
                bucket.remove(name)
        raise


def _refuse_what_is_there(bucket: Bucket) -> None:
    found = bucket.stored("")
    if found:
        cure = "name an empty place in NOTICE_GATEWAY_STORAGE_URL, such as another prefix of the same bucket"
        raise NotEmptyError(where=bucket.url, what=f"{len(found)} objects", cure=cure)
