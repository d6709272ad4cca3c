"""Renders conversations with a chat template, the same way in every run."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

DATE = datetime.datetime(2026, 1, 1)
"""The date for templates that insert today's date. It is fixed, so that prompts are the same on
any day, also when a run is resumed later."""

_DATE_FUNCTION = "strftime_now"
"""Name of the function with which a template reads the date."""

Turns = list[dict[str, Any]]


class Template:
    """A chat template with its options."""

    def __init__(self, processor: Any, source: str, options: Mapping[str, Any]) -> None:
        self.processor = processor
        self.source = source
        self.options = options
        # Processors have it as a string or as a token.
        self.mark = str(getattr(processor, "image_token", "") or "")
        """The placeholder of a picture in a rendered text; empty if the processor names none."""

    def render(self, turns: Turns, tools: Turns | None, *, reply_follows: bool = True) -> str:
        """Renders turns; with `reply_follows` the text ends where the model's reply begins."""
        _freeze_date(self.source)
        text: str = self.processor.apply_chat_template(
            turns,
            tools=tools,
            chat_template=self.source,
            add_generation_prompt=reply_follows,
            tokenize=False,
            **self.options,
        )
        return text

    @property
    def takes_tools(self) -> bool:
        """Whether the template mentions tools."""
        return "tools" in _variables(self.source)

    @property
    def inserts_date(self) -> bool:
        """Whether the template inserts the date."""
        return _DATE_FUNCTION in _variables(self.source)


def _freeze_date(source: str) -> None:
    """Binds the date function of a template to `DATE`, with whatever argument it is called.

    transformers compiles a template once and keeps it, but it may drop it later. So this is done
    before each rendering. A function among the variables of a template would become a string.
    """
    from transformers.utils import chat_template_utils

    compiled: Any = chat_template_utils._compile_jinja_template(source)
    compiled.globals[_DATE_FUNCTION] = DATE.strftime


def _variables(source: str) -> set[str]:
    """The variables that a template is given. Empty for a template that cannot be parsed."""
    import jinja2.meta

    # Jinja does not know the tag with which transformers marks generated text.
    known = re.sub(r"\{%-?\s*(end)?generation\s*-?%\}", "", source)
    extensions = ["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    environment = jinja2.Environment(extensions=extensions, autoescape=False)  # noqa: S701
    try:
        return jinja2.meta.find_undeclared_variables(environment.parse(known))
    except jinja2.TemplateSyntaxError:
        return set()
