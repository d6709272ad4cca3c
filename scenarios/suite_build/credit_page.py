"""The credits page of the suite."""

from __future__ import annotations

from sources import SOURCES

HEAD = """# Credits of the embedded suite

Every frame was made from the pictures below by `scenarios/suite_build/make.py`: they were cut,
scaled, spoilt, printed on drawn things or covered by drawn things. The drawn things and all
texts are part of this project. Nobody named here has endorsed the suite or its results.

| picture | file | author | licence | shipped in |
| --- | --- | --- | --- | --- |
"""

TAIL = """
CC0 1.0: <https://creativecommons.org/publicdomain/zero/1.0/>. CC-BY 2.0:
<https://creativecommons.org/licenses/by/2.0/>.

The sketches (`QuickDraw/`) are drawn from icons of Lucide (npm `lucide-static`), ISC License,
copyright (c) Lucide Icons and Contributors; none of the icons used is among those that Lucide
took from Feather. The ISC License:

> Permission to use, copy, modify, and/or distribute this software for any purpose with or without
> fee is hereby granted, provided that the above copyright notice and this permission notice appear
> in all copies.
>
> THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS
> SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE
> AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
> WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
> NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE
> OF THIS SOFTWARE.
"""


def page(used: dict[str, set[str]]) -> str:
    """The page; `used` maps a picture to the files of the suite that it went into."""
    rows = []
    for name in sorted(used):
        source = SOURCES[name]
        where = ", ".join(sorted(used[name]))
        rows.append(
            f"| {source.title} (in {where}) | `{source.file}` | {source.author} "
            f"| {source.licence} | {source.package} |\n"
        )
    return HEAD + "".join(rows) + TAIL
