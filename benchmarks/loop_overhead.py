"""Cost of a turn without a model: environment, prompt, parser, record and picture.

    python -m benchmarks.loop_overhead [--episodes 2000]

Plays the embedded suite repeatedly with a provider that replies immediately. The baseline is work
that no program can avoid, because each turn shows another picture: decoding one JPEG file of
640 x 480 pixels. Both are processor time, so other programs on the machine hardly matter.
"""

import argparse
import asyncio
import io
import time

from PIL import Image

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.protocols import Mcqa, Protocol, ToolUse
from proactive_agent.providers import create_provider
from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.images import decode

REPEATS = 5


def seconds_per_decode() -> float:
    """Returns the processor seconds to decode a photograph-like JPEG, in the fastest round."""
    noise = Image.effect_noise((640, 480), 60).convert("RGB")
    stream = io.BytesIO()
    noise.save(stream, "JPEG", quality=90)
    content = stream.getvalue()
    rounds = []
    for _ in range(REPEATS):
        started = time.process_time()
        for _ in range(40):
            decode(content, "noise.jpg")
        rounds.append((time.process_time() - started) / 40)
    return min(rounds)


async def seconds_per_turn(protocol: Protocol, episodes: int) -> float:
    """Returns the processor seconds per turn over `episodes` episodes, with 16 in flight."""
    data = DataFolder()
    play = Play(
        data, create_provider("baseline:oracle"), protocol, parse_condition("zero-shot", "tools")
    )
    samples = [(name, sample) for name in SCENARIOS for sample in data.samples(name)]
    todo = iter((samples * (episodes // len(samples) + 1))[:episodes])
    turns = 0

    async def work() -> None:
        nonlocal turns
        for scenario, sample in todo:
            episode = await play_episode(play, scenario, sample)
            turns += len(episode.turns)

    started = time.process_time()
    await asyncio.gather(*(work() for _ in range(16)))
    return (time.process_time() - started) / turns


def main() -> None:
    """Prints one line per protocol."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=2000)
    episodes = parser.parse_args().episodes
    decoding = seconds_per_decode()
    print(f"decoding one 640 x 480 JPEG: {1e3 * decoding:.2f} ms")
    for protocol in (Mcqa(), ToolUse()):
        turn = asyncio.run(seconds_per_turn(protocol, episodes))
        print(f"{protocol.name}: {1e3 * turn:.2f} ms per turn, {turn / decoding:.2f} x decoding")


if __name__ == "__main__":
    main()
