"""A condition of your own: a sentence after the question, compared with zero-shot.

python examples/custom_condition.py
"""

from dataclasses import replace

from proactive_agent import Condition, Observation, Situation, evaluate, register_condition


class Careful(Condition):
    """Tells the model that a wrong answer is worse than a question."""

    name = "careful"

    def observe(self, observation: Observation, situation: Situation) -> Observation:
        """Appends the sentence to the question."""
        sentence = "A wrong answer is worse than a question."
        return replace(observation, question=f"{observation.question} {sentence}")


register_condition(Careful)
for condition in ("zero-shot", "careful"):
    result = evaluate("baseline:random", condition=condition, scenarios="rod", limit=3)
    print(f"{condition}: acc {result.summary.acc.value:.2f}, psr {result.summary.psr.value:.2f}")
