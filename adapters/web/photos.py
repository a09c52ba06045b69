"""The console's simulated photos: pictures that everybody can attach where no camera is."""

import hashlib

from adapters.web.pages import STATIC
from adapters.web.words import words
from storage.messages import Attachment

PHOTOS = ("cabinet", "link", "screen")
SCHEME = "console:"


def photo_file(name: str) -> Attachment:
    """A simulated photo as an attachment: the picture that the console shows for it."""
    data = _picture(name)
    title = words()["photo"][name]
    digest = hashlib.sha256(data).hexdigest()
    return Attachment(kind="image", ref=f"{SCHEME}{name}", name=f"{title}.svg", sha256=digest, size=len(data))


def photo_data(ref: str) -> bytes | None:
    """The picture behind an attachment's ``ref``; None when it is none of these."""
    name = ref.removeprefix(SCHEME)
    return _picture(name) if name in PHOTOS and ref != name else None


def _picture(name: str) -> bytes:
    return (STATIC / f"photo-{name}.svg").read_bytes()
