"""docs/training.md: the environment for TRL's `environment_factory` plays as the page says."""

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local

PAGE = Path(__file__).parents[1] / "docs" / "training.md"


def test_the_environment_of_the_page_plays_with_pictures() -> None:
    json_schema = pytest.importorskip("transformers.utils").get_json_schema
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    exec(block.partition("# The trainer")[0], names)
    environment = names["RodEnvironment"]()
    # As TRL finds them: the public methods, but reset and get_reward, are the tools.
    tools = [n for n in dir(environment) if n[0] != "_" and n not in ("reset", "get_reward")]
    assert tools == ["answer", "move_object"]
    for name in tools:
        schema = json_schema(getattr(environment, name))["function"]
        assert all(one["description"] for one in schema["parameters"]["properties"].values())
    first = environment.reset(sample=0, prompt="ignored")
    assert [part["type"] for part in first] == ["image", "text"]
    second = environment.move_object("left")
    assert [part["type"] for part in second] == ["text", "image"]
    assert second[1]["image"].tobytes() != first[0]["image"].tobytes()
    assert environment.get_reward() == 0
    assert environment.answer("no category") == [{"type": "text", "text": "The episode has ended."}]
    assert environment.get_reward() == 0.5
    again = environment.reset(sample=0)
    assert again[0]["image"].tobytes() == first[0]["image"].tobytes()
    for _ in range(30):  # A model may call tools after the end.
        last = environment.move_object("left")
    assert last == [{"type": "text", "text": "The episode has ended."}]
