"""`Game` and `SteppedEpisode`: episodes that are played from outside equal those of a run."""

import asyncio
import base64
import io
import subprocess
import sys

import pytest
from PIL import Image

from proactive_agent import Game, RewardRule, SteppedEpisode, UserError, content_parts
from proactive_agent.play.episode import play_episode
from proactive_agent.providers import ProviderError, Reply, Usage
from tests.proactive_agent.scripted import Scripted, call, play, sample_of

LEFT = call("move_object", direction="left")
QUICK = {"usage": True, "turns": {"__all__": {"usage", "reply"}}}


def test_a_game_records_what_a_run_records() -> None:
    right = sample_of("rod").answer.removesuffix(".")
    record = asyncio.run(play("rod", Scripted(LEFT, call("answer", category=right))))
    game = Game(scenarios="rod")
    assert game.reset("rod", 0)
    assert game.call("move_object", direction="left")
    assert game.record is None
    assert game.reward() == 0
    assert game.call("answer", category=right) is None
    assert game.record is not None
    assert game.record.model_dump(exclude=QUICK) == record.model_dump(exclude=QUICK)
    assert game.reward(RewardRule(price=0.1)) == 0.9
    assert game.reset("rod", "0", repeat=1)
    assert game.leave().repeat == 1
    game.close()


def test_a_game_works_inside_a_running_loop() -> None:
    async def notebook() -> str:
        game = Game(scenarios="rod")
        game.reset("rod", 0)
        return game.leave().outcome.stop

    assert asyncio.run(notebook()) == "invalid"


def test_content_parts_are_the_new_part_of_the_conversation() -> None:
    game = Game(scenarios="mvp-n")
    first = game.reset("mvp-n", 0)
    assert first is not None
    picture, text = content_parts(first)
    assert text["text"].startswith(sample_of("mvp-n").prompt)
    second = game.call("rotate_object")
    assert second is not None
    said, shown = content_parts(second)
    assert said["text"].startswith("The user did this")
    files = [
        base64.b64decode(part["image_url"]["url"].removeprefix("data:image/png;base64,"))
        for part in (picture, shown)
    ]
    assert files[0] != files[1]
    (_, image) = content_parts(second, pictures="pil")
    assert Image.open(io.BytesIO(files[1])).tobytes() == image["image"].tobytes()


def test_solved_examples_are_told_in_words() -> None:
    game = Game(scenarios="rod", condition="icl:1")
    first = game.reset("rod", 0)
    assert first is not None
    texts = [part["text"] for part in content_parts(first) if part["type"] == "text"]
    assert any(text.startswith("→ move_object(") for text in texts)


def test_simultaneous_steps_are_turns_one_after_another() -> None:
    async def both() -> SteppedEpisode:
        episode = SteppedEpisode(Game(scenarios="rod").play, "rod", sample_of("rod"))
        await episode.begin()
        await asyncio.gather(episode.step(LEFT), episode.step(LEFT))
        await episode.leave()
        return episode

    episode = asyncio.run(both())
    assert episode.finished.outcome.turns == 3
    with pytest.raises(RuntimeError, match="the episode has ended"):
        asyncio.run(episode.step(LEFT))


def test_a_reply_that_did_not_come_is_an_error_with_its_usage() -> None:
    episode = SteppedEpisode(Game(scenarios="rod").play, "rod", sample_of("rod"))
    with pytest.raises(RuntimeError, match="has not begun"):
        asyncio.run(episode.step(LEFT))
    asyncio.run(episode.begin())
    record = episode.fail(ProviderError("timeout", "no reply", Usage(output_tokens=7)))
    assert (record.error and record.error.kind, record.usage.output_tokens) == ("timeout", 7)
    assert record.outcome.stop == "error"


def test_a_malformed_reply_ends_the_episode_as_an_error() -> None:
    game = Game(scenarios="rod")
    game.reset("rod", 0)
    assert game.step(Reply(text=3)) is None  # type: ignore[arg-type]
    assert game.record is not None
    assert game.record.error is not None
    assert game.record.error.kind == "malformed"


def test_replies_from_outside_are_not_asked_of_a_provider() -> None:
    with pytest.raises(RuntimeError, match=r"use SteppedEpisode\.step"):
        asyncio.run(play_episode(Game(scenarios="rod").play, "rod", sample_of("rod")))


def test_wrong_input_is_refused() -> None:
    with pytest.raises(UserError, match="Game has no setting 'toolsett'; did you mean 'toolset'"):
        Game(toolsett="all")
    with pytest.raises(UserError, match="Game: judge='local:x'; expected 'rules'"):
        Game(protocol="oeg", judge="local:x")
    with pytest.raises(UserError, match="the scenario 'coco' is not played here; expected rod"):
        Game(scenarios="rod").reset("coco", 0)
    with pytest.raises(RuntimeError, match="no episode has begun; call reset"):
        Game(scenarios="rod").call("abstain")


def test_the_reward_needs_no_torch() -> None:
    code = (
        "import sys; from proactive_agent import Game, RewardRule, SteppedEpisode; "
        "game = Game(scenarios='rod'); game.reset('rod', 0); game.leave(); game.reward(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_game_that_was_never_closed_ends_in_silence() -> None:
    code = (
        "import threading; from proactive_agent import Game; "
        "game = threading.main_thread().game = Game(scenarios='rod'); game.reset('rod', 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.stderr == b""


def test_a_dropped_game_releases_its_loop() -> None:
    game = Game(scenarios="rod")
    game.reset("rod", 0)
    loop = game._loop
    assert loop is not None
    del game
    assert loop.is_closed()
