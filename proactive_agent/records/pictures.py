"""Encodes the pictures of a run's records for embedding in other files."""

import base64
import io

from PIL.Image import Image

from proactive_agent.records.episode import ImageRecord
from proactive_agent.records.manifest import Manifest
from proactive_agent.scenarios import ImageError, ImageRef
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.tools import UserError

_KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class Pictures:
    """Opens the pictures of one run, if its data still exist."""

    def __init__(self, manifest: Manifest) -> None:
        try:
            data = open_data(manifest.settings.data)
        except UserError:
            self._images = None
        else:
            self._images = data.images

    def data_uri(self, shown: ImageRecord, kind: str = "WEBP", longest: int | None = None) -> str:
        """Returns the picture that the model saw as a data URI; empty if it cannot be opened.

        `kind` is JPEG, PNG or WEBP; `longest` limits the longer edge, in pixels.
        """
        if self._images is None:
            return ""
        try:
            picture = self._images.open(ImageRef(shown.path, shown.crop))
        except ImageError:
            return ""
        if shown.sha256 not in (None, picture.sha256):
            return ""  # The file has changed since; the model saw another picture.
        image = picture.image
        if shown.size and image.size != shown.size:
            image = image.resize(shown.size)
        if longest and max(image.size) > longest:
            image = image.copy()
            image.thumbnail((longest, longest))
        return as_data_uri(image, kind)


def as_data_uri(image: Image, kind: str) -> str:
    """Returns a picture as a data URI; `kind` is JPEG, PNG or WEBP."""
    stream = io.BytesIO()
    image.save(stream, kind, quality=80)
    return f"data:{_KINDS[kind]};base64,{base64.b64encode(stream.getvalue()).decode()}"
