"""Environments whose frames form a ring: after the last frame comes the first."""

from typing import ClassVar

from proactive_agent.scenarios.environment import Environment, S
from proactive_agent.tools import Intervention


class RingEnvironment(Environment[S]):
    """An environment with two interventions that step to the previous and to the next frame."""

    frames_form_ring = True
    can_lead_away = True
    previous: ClassVar[Intervention]
    """Leads to frame - 1."""
    following: ClassVar[Intervention]
    """Leads to frame + 1."""

    def move(self, intervention: Intervention) -> None:
        step = -1 if intervention == self.previous else 1
        self.frame = (self.frame + step) % self.sample.num_images

    def toward_reference(self) -> Intervention | None:
        length, goal = self.sample.num_images, self.sample.reference_image
        back, ahead = (self.frame - goal) % length, (goal - self.frame) % length
        if back == 0:
            return None
        return self.previous if back < ahead else self.following
