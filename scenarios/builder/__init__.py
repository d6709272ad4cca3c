"""The scenario builder: anyone's labelled pictures become scenarios that `run --data DIR` plays.

`build(Settings(…))` makes a whole folder.  The pictures of a single sample come from `build_rod`,
`build_vsod`, `build_mvp_n`, `build_imagenet_c`, `build_quickdraw`, `build_changeit` and
`build_coco`, each in the module of its scenario; `writer` makes them a sample in the official
layout.
"""

from proactive_agent.scenarios.builder.build import Progress, Report, Settings, Skipped, build
from proactive_agent.scenarios.builder.errors import BuildError, SkipError
from proactive_agent.scenarios.builder.recipe import Look

__all__ = [
    "BuildError",
    "Look",
    "Progress",
    "Report",
    "Settings",
    "SkipError",
    "Skipped",
    "build",
]
