"""A backup of a gateway whose files lie in a bucket, and its restoration into an empty one."""

import io
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.assembly import Parts, put_together
from gateway.bucket import StorageError
from gateway.clock import utc_now
from gateway.settings import Settings
from gateway.workflows.doctor import examine_register
from gateway.workflows.examine import Verdict
from gateway.workflows.restore_backup import ForgedArchiveError
from gateway.workflows.restoring_place import NotEmptyError
from tests.conftest import Template
from tests.object_storage import CREDENTIALS, Storage, running_storage
from tests.workflows.backups import Places, backed_up, places, put_keys, restored, rewritten

DOCUMENT = "doc_0123456789ab"


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with running_storage() as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The demo with its files in a bucket and a backup of it."""

    parts: Parts
    archive: Path
    keys: Path
    at: Places
    storage: Storage
    objects: dict[str, bytes | None]

    def empty(self, url: str) -> Settings:
        place = self.at.empty(url.split("/")[2])
        return place.model_copy(update={"storage_url": url, "storage_endpoint": self.storage.endpoint})

    def found(self, url: str) -> dict[str, bytes | None]:
        return {name: self.storage.content(url, name) for name in self.objects}


@pytest.fixture(scope="module")
def scene(
    request: pytest.FixtureRequest,
    sqlite_template: Template,
    storage: Storage,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    """One for all tests: they read its backup, and restore into places of their own."""
    folder = tmp_path_factory.mktemp("scene")
    settings = Settings(data_dir=folder / "data")
    shutil.copytree(sqlite_template.folder, settings.data_dir)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in CREDENTIALS.items():
            patched.setenv(name, value)
        url = storage.make_bucket()
        shared = settings.model_copy(update={"storage_url": url, "storage_endpoint": storage.endpoint})
        with closing(put_together(shared)) as parts, places(request, folder, like=settings) as at:
            names = _moved(settings, parts)
            archive = folder / "backup.tar"
            backed_up(parts, archive, utc_now())
            yield Scene(
                parts=parts,
                archive=archive,
                keys=put_keys(settings, folder / "kept.json"),
                at=at,
                storage=storage,
                objects={name: storage.content(url, name) for name in names},
            )


def _moved(settings: Settings, parts: Parts) -> list[str]:
    """Put the renditions into the bucket, as docs/operations.md moves them, and a document, and return their names.

    What stays behind in the data folder is not looked at any more.
    """
    assert parts.bucket is not None
    local = sorted(settings.renditions_dir.glob("??/*.wav"))
    names = [f"renditions/{path.parent.name}/{path.name}" for path in local]
    for name, path in zip(names, local, strict=True):
        parts.bucket.put(name, path)
    parts.vault.seal(DOCUMENT, io.BytesIO(b"a judgment" * 10_000), limit=1_000_000)
    return [*names, f"vault/{DOCUMENT}"]


def test_every_object_comes_back_into_an_empty_bucket(scene: Scene) -> None:
    assert None not in scene.objects.values()
    url = scene.storage.make_bucket()
    empty = scene.empty(url)
    restored(empty, scene.archive, utc_now(), given_keys=scene.keys)
    assert scene.found(url) == scene.objects
    assert not empty.renditions_dir.exists()
    assert not empty.vault_dir.exists()
    opened = put_together(empty)
    found = [each for each in examine_register(opened.studio, utc_now(), voices=False) if each.subject != "prompts"]
    assert {each.verdict for each in found if each.subject in {"storage", "renditions"}} == {Verdict.GOOD}
    opened.close()


def test_a_bucket_that_somebody_lives_in_is_left_alone(scene: Scene) -> None:
    url = scene.storage.make_bucket()
    scene.storage.overwrite(url, "vault/doc_of_another", b"another's")
    with pytest.raises(NotEmptyError, match="prefix"):
        restored(scene.empty(url), scene.archive, utc_now(), given_keys=scene.keys)
    assert set(scene.found(url).values()) == {None}
    assert scene.storage.content(url, "vault/doc_of_another") == b"another's"


def test_a_restoration_that_fails_leaves_the_bucket_empty(scene: Scene, tmp_path: Path) -> None:
    url = scene.storage.make_bucket()
    empty = scene.empty(url)
    key = scene.parts.keys.key(scene.parts.keys.key_id)
    wrong = rewritten(
        scene.archive,
        tmp_path / "wrong.tar",
        key.audit,
        lambda manifest: manifest.model_copy(update={"trail_seq": manifest.trail_seq + 1}),
    )
    with pytest.raises(Exception, match="trail"):
        restored(empty, wrong, utc_now(), given_keys=scene.keys)
    assert set(scene.found(url).values()) == {None}
    forged = rewritten(scene.archive, tmp_path / "forged.tar", b"no key", lambda manifest: manifest)
    with pytest.raises(ForgedArchiveError):
        restored(empty, forged, utc_now(), given_keys=scene.keys)
    restored(empty, scene.archive, utc_now(), given_keys=scene.keys)
    assert scene.found(url) == scene.objects


def test_a_backup_in_the_bucket_fits_a_gateway_with_files_in_its_folder(scene: Scene) -> None:
    local = scene.at.empty("with-its-own-files")
    restored(local, scene.archive, utc_now(), given_keys=scene.keys)
    assert {name: (local.data_dir / name).read_bytes() for name in scene.objects} == scene.objects


def test_the_doctor_names_a_bucket_that_is_not_there(scene: Scene) -> None:
    elsewhere = scene.parts.settings.model_copy(update={"storage_url": "s3://no-such-bucket-anywhere/court"})
    opened = put_together(elsewhere)
    (found,) = (each for each in examine_register(opened.studio, utc_now(), voices=False) if each.subject == "storage")
    assert found.verdict is Verdict.BAD
    assert "no such bucket" in found.found
    assert "NOTICE_GATEWAY_STORAGE_URL" in found.cure
    opened.close()


def test_a_backup_is_refused_while_the_storage_does_not_answer(scene: Scene, tmp_path: Path) -> None:
    away = scene.parts.settings.model_copy(update={"storage_endpoint": "http://127.0.0.1:9"})
    opened = put_together(away)
    with pytest.raises(StorageError):
        backed_up(opened, tmp_path / "never.tar", utc_now())
    assert not list(tmp_path.glob("*never*"))
    opened.close()
