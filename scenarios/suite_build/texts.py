"""The ways of giving up that the samples offer; one a sample, in turn."""

ABSTENTIONS = (
    "I cannot answer this question.",
    "I do not know.",
    "I cannot tell from this image.",
    "I do not have enough information to answer.",
    "This cannot be determined.",
    "I do not see enough to say.",
)


def abstention(number: int) -> str:
    """The abstention of the sample with this number."""
    return ABSTENTIONS[number % len(ABSTENTIONS)]
