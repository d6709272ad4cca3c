"""The models that really answered the requests of a run, and the judges of its answers."""

from collections import Counter
from collections.abc import Iterable

from proactive_agent.metrics.measures import Episode
from proactive_agent.records.episode import ServedByRecord

Served = tuple[str | None, str | None, str | None]
"""Model, fingerprint and provider behind a gateway."""


class ServedModel(ServedByRecord):
    """A model, with the number of replies that it gave in a run."""

    replies: int


def judges_in(episode: Episode) -> tuple[str, ...]:
    """Returns the judges of an open-ended episode."""
    found = (turn.judgement.judge for turn in episode.turns if turn.judgement is not None)
    return tuple(dict.fromkeys(found))


def served_in(episode: Episode) -> tuple[Served, ...]:
    """Returns the model that answered each turn of an episode, if the records name it."""
    found = (turn.reply.served for turn in episode.turns)
    return tuple((one.model, one.fingerprint, one.gateway) for one in found if one is not None)


def count_served(episodes: Iterable[tuple[Served, ...]]) -> list[ServedModel]:
    """Counts replies by the model that gave them, the most frequent first."""
    counts = Counter(one for served in episodes for one in served)
    return [
        ServedModel(model=model, fingerprint=fingerprint, gateway=gateway, replies=replies)
        for (model, fingerprint, gateway), replies in counts.most_common()
    ]
