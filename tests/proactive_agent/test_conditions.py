import pytest

from proactive_agent.conditions import parse_condition
from tools import UserError


def test_conditions_combine() -> None:
    both = parse_condition("hint+stateless", "tools")
    assert both.name == "hint+stateless"
    assert both.keeps_conversation(default=True) is False


def test_the_protocol_decides_about_the_conversation_otherwise() -> None:
    assert parse_condition("hint", "tools").keeps_conversation(default=True) is True


@pytest.mark.parametrize(
    ("text", "protocol", "reason"),
    [
        ("hints", "tools", "unknown condition 'hints'; known: zero-shot, hint"),
        ("hint+hint", "tools", "twice"),
        ("hint+reference", "tools", "misleads"),
        ("stateless", "mcqa", "afresh anyway"),
    ],
)
def test_a_senseless_condition_is_refused_with_the_reason(
    text: str, protocol: str, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        parse_condition(text, protocol)
