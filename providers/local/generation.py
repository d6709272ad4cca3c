"""Generates replies for a batch of prompts with one call of `generate`."""

import bisect
import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from transformers import StoppingCriteria

from proactive_agent.providers.base import ProviderError
from proactive_agent.providers.local.chat import RenderedPrompt
from proactive_agent.providers.local.fitting import free_memory
from proactive_agent.providers.local.pictures import ProcessedPictures
from proactive_agent.providers.local.sampling import (
    FLAGS,
    SeededSampling,
    checkpoint_flags,
    chosen_flags,
)
from proactive_agent.providers.thoughts import (
    answer_spans,
    begins_inside,
    begins_with_thought,
    separated,
)
from proactive_agent.settings import Sampling

_END_OF_TURN = "<end_of_utterance>"
_CHECKED_EVERY = 32
"""New tokens after which running replies are searched for overlong answers, which takes time."""


@dataclass(frozen=True, slots=True)
class Generated:
    """Generated text for one prompt."""

    text: str
    input_tokens: int
    output_tokens: int
    finish_reason: Literal["stop", "length"]
    seconds: float
    """Time of the batch divided by its number of prompts."""
    thinking_room: int = 0
    """Tokens that the reply had for thinking, beyond the limit of the answer."""
    reasoning_tokens: int | None = None
    """Tokens of the thoughts; None without thoughts."""


class Generator:
    """A loaded model and its processor.

    With `keeps_special`, replies contain special tokens as text. The *thinking room* is the
    number of tokens for thoughts, in addition to the limit of the answer. Requests that do not set
    it have `thinking_room` tokens if the model `thinks`. Otherwise a reply has them only if it
    begins with a thought and would be cut off. An answer never has more tokens than its limit.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        keeps_special: bool = False,
        thinks: bool = False,
        thinking_room: int = 0,
    ) -> None:
        self.keeps_special = keeps_special
        self.thinks = thinks
        self.thinking_room = thinking_room
        self.has_thought = False
        """Whether a reply began with a thought that the chat template did not announce."""
        self.model = model
        self.pictures = ProcessedPictures(processor, model.dtype)
        self.processor = processor = self.pictures.processor
        self._stop = threading.Event()
        tokenizer = processor.tokenizer
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self._stop_ids = stop_ids(model, tokenizer)
        config = model.generation_config
        self.replaced_settings = _make_greedy(config, self._stop_ids, tokenizer.pad_token_id)
        """The checkpoint's own settings of generation that are not used, except by requests with
        the generation `checkpoint` or `published`."""

    def __call__(self, prompts: Sequence[RenderedPrompt]) -> list[Generated]:
        """Generates replies to prompts with equal sampling settings.

        Raises ProviderError once `stop` was called.
        """
        sampling = prompts[0].sampling
        if sampling.thinking_tokens is not None:
            return self._generate(prompts, sampling.thinking_tokens)
        if self.thinks:
            return self._generate(prompts, self.thinking_room)
        replies = self._generate(prompts, 0)
        thinking = [
            index
            for index, reply in enumerate(replies)
            if reply.finish_reason == "length" and begins_with_thought(reply.text)
        ]
        if thinking and self.thinking_room:
            again = self._generate([prompts[index] for index in thinking], self.thinking_room)
            for index, reply in zip(thinking, again, strict=True):
                seconds = replies[index].seconds + reply.seconds
                replies[index] = replace(reply, seconds=seconds)
        return replies

    def _generate(self, prompts: Sequence[RenderedPrompt], room: int) -> list[Generated]:
        self._check_open()
        started = time.perf_counter()
        inputs = self._inputs(prompts)
        sampling = prompts[0].sampling
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        rooms = [self._fitting_room(room, length, sampling.max_tokens) for length in lengths]
        limits = [self._fitting(sampling, length) for length in lengths]
        longest = max(map(sum, zip(limits, rooms, strict=True)))
        flags = self._flags(sampling)
        seeds = [prompt.seed for prompt in prompts]
        beams = self._beams(sampling)
        insides = [begins_inside(prompt.text) for prompt in prompts]
        criteria: list[Any] = [_Stopped(self._stop)]
        if any(rooms) and beams == 1:  # With beams, a row is not a reply.
            criteria.append(
                _AnswerEnded(
                    lambda index, row: self._is_overlong(row, limits[index], inside=insides[index])
                )
            )
        processors: list[Any] = []
        arguments: dict[str, Any] = {"num_beams": beams}
        if flags and beams > 1:
            # Beams need the sampling of transformers, so these replies depend on their batch.
            arguments |= flags | {"do_sample": True}
        elif flags:
            processors.append(SeededSampling(flags, seeds, self.model.device))
        with torch.no_grad(), _seeded(seeds[0], self.model.device):
            output = self.model.generate(
                **inputs,
                max_new_tokens=longest,
                **arguments,
                logits_processor=processors,
                stopping_criteria=criteria,
            )
        self._check_open()  # `stop` truncates the output.
        rows = _without_prompt(output, inputs["input_ids"]).tolist()
        seconds = (time.perf_counter() - started) / len(prompts)
        return [
            self._read(
                row[: most + room],
                most,
                room,
                inside=inside,
                input_tokens=int(length),
                seconds=seconds,
            )
            for row, inside, length, most, room in zip(
                rows, insides, lengths, limits, rooms, strict=True
            )
        ]

    def settings(self, sampling: Sampling) -> dict[str, Any]:
        """Returns the generation config that requests with this sampling really have."""
        flags = self._flags(sampling)
        return {
            **self.model.generation_config.to_diff_dict(),
            "do_sample": flags is not None,
            **(flags or {}),
            "num_beams": self._beams(sampling),
            "max_new_tokens": sampling.max_tokens,
        }

    def _flags(self, sampling: Sampling) -> dict[str, Any] | None:
        """The flags of sampling, or None if the most likely token is taken."""
        if sampling.generation == "greedy":
            return chosen_flags(sampling)
        if sampling.generation == "published" or self.replaced_settings.get("do_sample"):
            return checkpoint_flags(self.replaced_settings)
        return None

    def _beams(self, sampling: Sampling) -> int:
        own = self.replaced_settings.get("num_beams", 1)
        return 1 if sampling.generation == "greedy" else int(own)

    def _fitting(self, sampling: Sampling, length: int) -> int:
        """The limit of an answer. The published one shrinks to what the context leaves."""
        context = context_tokens(self.model.config)
        if sampling.generation != "published" or context is None:
            return sampling.max_tokens
        return min(sampling.max_tokens, max(1, context - int(length)))

    def count_image_tokens(self, prompt: RenderedPrompt) -> int | None:
        """How many tokens stand for the pictures of a prompt; None if they have no token."""
        config = self.model.config
        token = getattr(config, "image_token_id", None) or getattr(
            config, "image_token_index", getattr(self.processor, "image_token_id", None)
        )
        return None if token is None else int((self._inputs([prompt])["input_ids"] == token).sum())

    def learn_to_join(self, prompts: Sequence[RenderedPrompt]) -> None:
        """Finds out with these prompts whether each picture can be processed alone.

        The prompts should have different numbers of pictures of different sizes.
        """
        self.pictures.learn(lambda: dict(self._inputs(prompts)))

    def stop(self) -> None:
        """Ends a running `generate` after its next token."""
        self._stop.set()

    def release(self) -> None:
        """Frees the memory; the generator cannot be used afterwards."""
        self.model = self.processor = None
        self.pictures.clear()
        free_memory()

    def _check_open(self) -> None:
        if self._stop.is_set():
            raise ProviderError("closed", "the provider was closed before the reply was complete")

    def _fitting_room(self, room: int, length: int, max_tokens: int) -> int:
        """The thinking room after a prompt of `length` tokens, at most `room`.

        It shrinks to fit the model's context; the limit of the answer does not.
        """
        context = context_tokens(self.model.config)
        if not room or context is None:
            return room
        return min(room, max(0, context - int(length) - max_tokens))

    def _inputs(self, prompts: Sequence[RenderedPrompt]) -> Any:
        texts = [prompt.text for prompt in prompts]
        images = [[*map(self.pictures.for_processor, prompt.pictures)] for prompt in prompts]
        bos = self.processor.tokenizer.bos_token
        inputs = self.processor(
            text=texts,
            images=images if any(images) else None,
            padding=True,
            # If the template writes the BOS token, the tokenizer must not add a second one.
            add_special_tokens=not (bos and texts[0].startswith(bos)),
            return_tensors="pt",
        )
        # The Q-Former of InstructBLIP reads the text as well, but has few positions.
        limit = query_positions(self.model.config)
        for name in ("qformer_input_ids", "qformer_attention_mask"):
            if limit and name in inputs:
                inputs[name] = inputs[name][:, :limit]
        return inputs.to(self.model.device, dtype=self.model.dtype)

    def _read(
        self,
        row: list[int],
        most: int,
        room: int,
        *,
        inside: bool,
        input_tokens: int,
        seconds: float,
    ) -> Generated:
        """Reads the new tokens of a row up to its stop token or the end of its answer.

        The row ends at its own limit, so that a reply does not depend on its batch. The answer has
        at most `most` tokens. `inside`: the reply begins inside thoughts.
        """
        end = next((i for i, token in enumerate(row) if token in self._stop_ids), None)
        written = row if end is None else row[: end + 1]
        kept = written[: self._answer_end(written, most, inside=inside)]
        cut_off = len(kept) < len(written) or (end is None and len(row) >= most + room)
        text = self._text(kept)
        self.has_thought |= begins_with_thought(text)
        return Generated(
            text=text,
            input_tokens=input_tokens,
            output_tokens=len(kept),
            finish_reason="length" if cut_off else "stop",
            seconds=seconds,
            thinking_room=room,
            reasoning_tokens=self._count(separated(text, inside=inside).thoughts),
        )

    def _count(self, thoughts: str) -> int | None:
        # Here, because a tokenizer fails if two threads use it at once.
        encode = self.processor.tokenizer.encode
        return len(encode(thoughts, add_special_tokens=False)) if thoughts else None

    def _answer_end(self, row: list[int], most: int, *, inside: bool) -> int:
        """The length of the beginning of a row whose answer has at most `most` tokens."""
        if len(row) <= most:
            return len(row)
        text = self._text(row)

        def token_at(character: int) -> int:
            if character == len(text):
                return len(row)
            return bisect.bisect_left(
                range(len(row)), character, key=lambda size: len(self._text(row[:size]))
            )

        for start, end in answer_spans(text, inside=inside):
            first = token_at(start)
            length = token_at(end) - first
            if length > most:
                return first + most
            most -= length
        return len(row)

    def _is_overlong(self, row: list[int], most: int, *, inside: bool) -> bool:
        """Whether a reply that began with a thought has an answer of more than `most` tokens.

        Any other reply may still turn out to be a thought, by its closing mark.
        """
        begins = inside or begins_with_thought(self._text(row[:_CHECKED_EVERY]))
        return begins and self._answer_end(row, most, inside=inside) < len(row)

    def _text(self, row: Sequence[int]) -> str:
        tokenizer = self.processor.tokenizer
        return text_of(row, self._stop_ids, tokenizer, keeps_special=self.keeps_special)


class _Stopped(StoppingCriteria):  # type: ignore[misc, unused-ignore]  # untyped base
    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._stop.is_set(), device=input_ids.device)


class _AnswerEnded(StoppingCriteria):  # type: ignore[misc, unused-ignore]  # untyped base
    """Ends each row of a batch whose answer is overlong, which the reply would not contain anyway.

    Without it, an overlong answer would be generated up to the end of the room for thinking.
    `is_overlong` takes the index of a row and its new tokens.
    """

    def __init__(self, is_overlong: Callable[[int, list[int]], bool]) -> None:
        self._is_overlong = is_overlong
        self._prompt: int | None = None
        """Width of the prompt in `input_ids`, from the first call, after one new token."""
        self._ended: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        rows, width = input_ids.shape
        if self._prompt is None or self._ended is None:
            self._prompt = width - 1
            self._ended = torch.zeros(rows, dtype=torch.bool, device=input_ids.device)
        if (width - self._prompt) % _CHECKED_EVERY == 0:
            for index, row in enumerate(input_ids[:, self._prompt :].tolist()):
                if not self._ended[index]:
                    self._ended[index] = self._is_overlong(index, row)
        return self._ended


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds the generators of torch for a while, and restores them."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed % 2**63)
        yield


def _without_prompt(output: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
    # Models that generate from embeddings or with a separate decoder return only new tokens.
    width = prompt.shape[1]
    return output[:, width:] if torch.equal(output[:, :width], prompt) else output


def context_tokens(config: Any) -> int | None:
    """The most tokens of a prompt and its reply together; None if the model does not say."""
    context = getattr(config.get_text_config(), "max_position_embeddings", None)
    return context if isinstance(context, int) else None


def query_positions(config: Any) -> int | None:
    """The most tokens of text that a model's Q-Former reads; None if there is no Q-Former."""
    queries = getattr(config, "qformer_config", None)
    return getattr(queries, "max_position_embeddings", None)


def text_of(
    row: Sequence[int], stop: Collection[int], tokenizer: Any, *, keeps_special: bool = False
) -> str:
    """Decodes new tokens up to the first stop token, with or without special tokens."""
    written = list(itertools.takewhile(lambda token: token not in stop, row))
    return str(tokenizer.decode(written, skip_special_tokens=not keeps_special))


def stop_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Ids of the tokens that end a reply."""
    own = model.generation_config.eos_token_id
    found = set(own if isinstance(own, list) else [own])
    found.add(tokenizer.eos_token_id)
    # The config of Idefics2 lists only `</s>`, but its turns end with another token.
    found.add(tokenizer.get_added_vocab().get(_END_OF_TURN))
    return frozenset(token for token in found if token is not None)


def _make_greedy(config: Any, stop_ids: frozenset[int], pad_id: int) -> dict[str, Any]:
    """Sets greedy decoding; returns the settings of the checkpoint that this replaces."""
    replaced = {
        flag: value
        for flag in ("do_sample", "num_beams", "max_length", *FLAGS)
        if (value := getattr(config, flag, None)) is not None
    }
    # Sampling is done by `SeededSampling` instead.
    for flag in FLAGS:
        if hasattr(config, flag):
            setattr(config, flag, None)
    config.do_sample = False
    config.num_beams = 1
    config.max_length = None
    config.eos_token_id = sorted(stop_ids)
    config.pad_token_id = pad_id
    return replaced
