"""The scenario builder makes scenarios from labelled pictures, to be played with `run --data DIR`.

`build(BuildSettings(…))` makes a whole folder. `build_rod`, `build_vsod`, `build_mvp_n`,
`build_imagenet_c`, `build_quickdraw`, `build_changeit` and `build_coco` make the frames of a single
sample; each is in the module of its scenario. `writer` turns them into a sample in the official
layout.
"""

from proactive_agent.scenarios.builder.build import (
    BuildProgress,
    BuildReport,
    BuildSettings,
    SkippedItem,
    build,
)
from proactive_agent.scenarios.builder.items import BuildError, SkipError
from proactive_agent.scenarios.builder.recipe import Appearance

__all__ = [
    "Appearance",
    "BuildError",
    "BuildProgress",
    "BuildReport",
    "BuildSettings",
    "SkipError",
    "SkippedItem",
    "build",
]
