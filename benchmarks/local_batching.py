"""Speed of local models, compared with the loop that a researcher would write.

    python -m benchmarks.local_batching     # targets: 1x at batch size 1, 8x at batch size 32

The plain loop asks one question at a time. In each turn it decodes the JPEG files of the
conversation, calls the processor, and generates 32 tokens. The provider answers the same questions
with the same number of tokens, at several batch sizes. The pictures have different sizes. The case
`turns` plays conversations that keep their pictures, as runs with the protocol `tools` do. The last
line of a case shows the largest batch size if pictures are processed again for each batch.

The models are tiny and random, so the result shows the overhead of the provider, not the speed of a
real model. Each round measures both sides in the same process, one after the other. A ratio is the
median over the rounds, with the smallest and the largest in brackets. Other programs on the machine
change the ratios, so the load average is printed as well. They change the ratio of processor time
less, but it does not show that pictures are processed while the model generates.
"""

import argparse
import asyncio
import operator
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from PIL import Image

from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    Message,
    ProviderOptions,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.local import Local
from proactive_agent.providers.local.aliases import resolve
from proactive_agent.providers.local.loading import Loaded, load
from proactive_agent.scenarios.environment import ImageRef
from proactive_agent.scenarios.images import ImageStore, StoredImage
from tests.providers.tiny_models import KINDS, folder

TOKENS = 32
REPLY = "I cannot see it yet, so move the object to the left."
"""The reply that conversations contain, so that both sides continue the same conversation."""
SIZES = ((640, 480), (480, 640), (800, 600), (500, 375), (1024, 768), (333, 500), (720, 720))


class Turn(NamedTuple):
    """A question about a picture."""

    file: str
    """Name of the JPEG file in the folder of pictures."""
    text: str


Episode = Sequence[Turn]


def episodes(root: Path, name: str, number: int, turns: int) -> list[Episode]:
    """Returns conversations with a new picture in each turn, whose files it writes to a folder."""
    return [
        [
            Turn(_write(root, f"{name}-{episode}-{turn}", episode + turn), _question(episode))
            for turn in range(turns)
        ]
        for episode in range(number)
    ]


def _question(index: int) -> str:
    return "What is in the image? " * (1 + index % 3)


def _write(root: Path, name: str, index: int) -> str:
    """Writes a picture that compresses like a photograph; returns the name of its file."""
    width, height = SIZES[index % len(SIZES)]
    coarse = Image.effect_noise((width // 8, height // 8), 100).resize((width, height))
    fine = Image.effect_noise((width, height), 24)
    Image.blend(coarse, fine, 0.35).convert("RGB").save(root / f"{name}.jpg", quality=90)
    return f"{name}.jpg"


class PlainLoop:
    """One question at a time, without any code of this project after loading."""

    def __init__(self, loaded: Loaded, stop: list[int], root: Path) -> None:
        self.loaded = loaded
        self.stop = stop
        self.root = root

    def play(self, played: Sequence[Episode]) -> list[str]:
        """Plays all episodes; returns the replies."""
        replies = []
        for episode in played:
            messages: list[dict[str, Any]] = []
            files: list[Path] = []
            for turn in episode:
                if messages:
                    messages.append(_message("assistant", {"type": "text", "text": REPLY}))
                text = {"type": "text", "text": turn.text}
                messages.append(_message("user", {"type": "image"}, text))
                files.append(self.root / turn.file)
                replies.append(self._reply(messages, files))
        return replies

    def _reply(self, messages: list[dict[str, Any]], files: list[Path]) -> str:
        processor, model = self.loaded.processor, self.loaded.model
        images = [Image.open(file, formats=["JPEG"]).convert("RGB") for file in files]
        prompt = processor.apply_chat_template(
            messages, chat_template=self.loaded.template, add_generation_prompt=True
        )
        inputs = processor(text=[prompt], images=[images], return_tensors="pt").to(model.device)
        with torch.no_grad():
            output = model.generate(
                **inputs,
                do_sample=False,
                min_new_tokens=TOKENS,
                max_new_tokens=TOKENS,
                eos_token_id=self.stop,
            )
        new = output[0, inputs["input_ids"].shape[1] :]
        return str(processor.tokenizer.decode(new, skip_special_tokens=True))


def _message(role: str, *content: dict[str, str]) -> dict[str, Any]:
    return {"role": role, "content": list(content)}


class OurSide:
    """The provider, asked as a run asks it.

    Without `keeps_pictures`, it processes all pictures of a batch when the batch starts.
    """

    def __init__(self, provider: Local, root: Path, *, keeps_pictures: bool = True) -> None:
        self.provider = provider
        if not keeps_pictures:
            provider.generator.pictures.joining.forget()
        self.root = root
        provider.generator.model.generation_config.min_new_tokens = TOKENS

    def play(self, played: Sequence[Episode]) -> list[str]:
        """Plays all episodes at the concurrency of a run; returns the replies."""
        self.provider.generator.pictures.clear()
        return asyncio.run(self._play_all(played))

    async def _play_all(self, played: Sequence[Episode]) -> list[str]:
        gate = asyncio.Semaphore(self.provider.concurrency)
        images = ImageStore(self.root)

        async def play(index: int, episode: Episode) -> list[str]:
            async with gate:
                return await self._play(index, episode, images)

        replies = await asyncio.gather(*(play(*numbered) for numbered in enumerate(played)))
        return [reply for each in replies for reply in each]

    async def _play(self, index: int, episode: Episode, images: ImageStore) -> list[str]:
        messages: list[Message] = []
        replies = []
        for number, turn in enumerate(episode):
            if messages:
                messages.append(AssistantMessage(REPLY))
            ref = ImageRef(turn.file)
            picture = await asyncio.to_thread(images.open, ref)
            part = ImagePart(picture.sha256, StoredImage(images, ref))
            messages.append(UserMessage((part, TextPart(turn.text))))
            request = Request(
                RequestKey("rod", index, number),
                tuple(messages),
                sampling=Sampling(TOKENS, thinking_tokens=0),
            )
            replies.append((await self.provider.complete(request)).text)
        return replies


def measure(
    kind: str, case: str, played: Sequence[Episode], root: Path, options: argparse.Namespace
) -> None:
    """Prints the ratios of a tiny model, one in each line."""
    sides = {
        f"{size}{'' if keeps else ' without kept pictures'}": OurSide(
            Local.create(str(folder(kind)), ProviderOptions(batch_size=size)),
            root,
            keeps_pictures=keeps,
        )
        for size in options.batch_sizes
        for keeps in (True, False)
        if keeps or size == max(options.batch_sizes)
    }
    first = next(iter(sides.values()))
    stop = first.provider.generator.model.generation_config.eos_token_id
    plain = PlainLoop(load(resolve(str(folder(kind))), ProviderOptions()), stop, root)
    for side in (plain, *sides.values()):
        side.play(played[:2])
    ratios: dict[str, list[Spent]] = {name: [] for name in sides}
    same = []
    for _ in range(options.rounds):
        expected, needed = timed(plain, played)
        for name, side in sides.items():
            replies, spent = timed(side, played)
            ratios[name].append(Spent(*map(operator.truediv, needed, spent)))
            read = [side.provider.chat.reply(reply, tools=False).text for reply in expected]
            same.append(sum(map(str.__eq__, read, replies)) / len(read))
    for side in sides.values():
        asyncio.run(side.provider.close())
    turns = sum(map(len, played))
    print(f"{kind}, {case}, {turns} turns; equal replies {min(same):.0%}")
    for name, found in ratios.items():
        seconds, processor = (_shown(column) for column in zip(*found, strict=True))
        print(f"    batch size {name}: {seconds}, processor time {processor}", flush=True)


def _shown(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f}x [{min(ratios):.2f}, {max(ratios):.2f}]"


class Spent(NamedTuple):
    """Time for a case in seconds, or a ratio of it."""

    seconds: float
    processor: float
    """Time of processors, of all threads."""


def timed(side: PlainLoop | OurSide, played: Sequence[Episode]) -> tuple[list[str], Spent]:
    """Returns the replies of a side and the time that they took."""
    started, processor = time.perf_counter(), time.process_time()
    replies = side.play(played)
    return replies, Spent(time.perf_counter() - started, time.process_time() - processor)


def main() -> None:
    """Reads the command line and prints one line per model and case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--model", choices=KINDS, nargs="+", default=["idefics2", "qwen2_5_vl"])
    add("--case", choices=["single", "turns"], nargs="+", default=["single", "turns"])
    add("--batch-sizes", type=int, nargs="+", default=[1, 8, 16, 32])
    add("--requests", type=int, default=96, help="requests of the case `single`")
    add("--episodes", type=int, default=32, help="conversations of the case `turns`")
    add("--turns", type=int, default=6, help="turns of each conversation")
    add("--rounds", type=int, default=3)
    add("--threads", type=int, default=1, help="threads of PyTorch; tiny tensors need only one")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    print(f"{os.cpu_count()} CPUs, load average before {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder_of_pictures:
        root = Path(folder_of_pictures)
        cases = {
            "single": episodes(root, "single", options.requests, 1),
            "turns": episodes(root, "turns", options.episodes, options.turns),
        }
        for kind in options.model:
            for case in options.case:
                measure(kind, case, cases[case], root, options)
    print(f"load average after {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
