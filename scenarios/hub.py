"""The official data set on the Hugging Face Hub, read in parts.

Reading in parts lets an interrupted download resume. The Hub's own client restarts files of many
gigabytes, and refuses files above 50 GB over plain HTTP.
"""

import hashlib
from typing import Any, NamedTuple, Protocol

from proactive_agent.tools import MissingExtraError, UserError

REPOSITORY = "tdemin16/ProactiveBench"
TIMEOUT = 60
"""Seconds without an answer from the Hub."""

ATTEMPTS = 6


class HubFile(NamedTuple):
    """A file on the Hub."""

    path: str
    size: int
    """Size in bytes."""
    etag: str
    """Hash of the content in hexadecimal: SHA-256 of a large file, Git's SHA-1 of a small one."""

    def hasher(self) -> "hashlib._Hash":
        """Returns the hash function that gives `etag` for the content. Raises UserError."""
        if len(self.etag) == 64:
            return hashlib.sha256()
        if len(self.etag) == 40:
            # Git hashes a header with the size before the content.
            head = f"blob {self.size}\0".encode()
            return hashlib.sha1(head, usedforsecurity=False)
        raise UserError(f"{self.path}: the Hub gives no hash ({self.etag[:80]!r})")


class Hub(Protocol):
    """The access to the Hub that a download needs."""

    def files(self) -> list[HubFile]:
        """Returns all files of the data set. Raises UserError."""

    def read(self, file: HubFile, start: int, size: int) -> bytes:
        """Returns a part of a file. Raises UserError."""


class HuggingFace:
    """The data set on the Hugging Face Hub. `endpoint` or `HF_ENDPOINT` selects a mirror."""

    def __init__(self, endpoint: str | None = None) -> None:
        try:
            from huggingface_hub import HfApi
        except ImportError:
            raise MissingExtraError("data", "data download") from None
        self._api = HfApi(endpoint=endpoint)
        self._endpoint = endpoint
        self._revision: str | None = None

    def files(self) -> list[HubFile]:
        """Returns all files of the latest revision, which `read` then uses."""
        try:
            info = self._api.dataset_info(REPOSITORY, files_metadata=True)
        except Exception as error:  # its client raises many types without a network
            raise UserError(f"{REPOSITORY} cannot be listed: {_first_line(error)}") from error
        self._revision = info.sha
        return [
            HubFile(
                path=file.rfilename,
                size=file.size or 0,
                etag=(file.lfs.sha256 if file.lfs else file.blob_id) or "",
            )
            for file in info.siblings or []
        ]

    def read(self, file: HubFile, start: int, size: int) -> bytes:
        """Returns a part of a file. Retries if the network fails."""
        import tenacity

        ask = tenacity.retry(
            retry=tenacity.retry_if_exception(_may_pass),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_exponential(max=16),
            reraise=True,
        )(self._ask)
        try:
            return ask(file, start, size)
        except Exception as error:  # as above
            raise UserError(
                f"{file.path} cannot be downloaded: {_first_line(error)}; run again to resume"
            ) from error

    def _ask(self, file: HubFile, start: int, size: int) -> bytes:
        """Requests a part. A server that sends more is not read on."""
        import huggingface_hub.utils

        client: Any = huggingface_hub.utils  # The module does not declare its exports.
        url = huggingface_hub.hf_hub_url(
            REPOSITORY,
            file.path,
            repo_type="dataset",
            revision=self._revision,
            endpoint=self._endpoint,
        )
        # The Hub sends compressed files whole, regardless of the requested range.
        part = {"Range": f"bytes={start}-{start + size - 1}", "Accept-Encoding": "identity"}
        headers = client.build_hf_headers() | part
        content = bytearray()
        with client.get_session().stream(
            "GET", url, headers=headers, timeout=TIMEOUT, follow_redirects=True
        ) as response:
            if response.is_error:
                response.read()  # for the message
            client.hf_raise_for_status(response)
            for block in response.iter_raw():
                content += block
                if len(content) > size:
                    break
        return bytes(content)


def _may_pass(error: BaseException) -> bool:
    """Returns whether a retry may help: the connection broke, or the Hub is busy."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status is None or status in (408, 429) or status >= 500


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
