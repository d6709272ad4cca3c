"""Chooses a model's chat template; contains those of families whose repositories may lack one."""

from collections.abc import Mapping
from typing import Any

from proactive_agent.tools import UserError

IDEFICS2 = """\
{%- for message in messages -%}
{{- message.role | capitalize }}:
{%- if message.content is string -%}
{{- " " + message.content }}
{%- else -%}
{%- if message.content and message.content[0].type != "image" %}{{ " " }}{% endif -%}
{%- for part in message.content -%}
{%- if part.type == "image" %}{{ "<image>" }}{% else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{{- "<end_of_utterance>\\n" }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ "Assistant:" }}{% endif -%}
"""

# Plain instructions, one per line; the processor puts the picture in front of them.
INSTRUCTBLIP = """\
{%- for message in messages -%}
{%- for part in message.content if part.type == "text" %}{{ part.text + "\\n" }}{% endfor -%}
{%- endfor -%}
"""

# Like the model's own template, but for contents that are lists of parts.
PHI4 = """\
{%- for message in messages -%}
{{- "<|" + message.role + "|>" }}
{%- if message.content is string %}{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == "image" %}{{ image_token }}{% else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{{- "<|end|>" }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ "<|assistant|>" }}{% endif -%}
"""

FALLBACKS: Mapping[str, str] = {
    "idefics2": IDEFICS2,
    "instructblip": INSTRUCTBLIP,
    "phi4_multimodal": PHI4,
}
"""Templates by the `model_type` of a model's configuration."""

ONE_PICTURE = frozenset({"instructblip", "blip-2"})
"""Families whose processor places the picture itself, so that a request has one picture."""


def template_of(processor: Any, model_type: str, name: str) -> str:
    """Returns the model's own chat template, or the one above for its family.

    `name` is the model's name in an error. Raises UserError if there is no template.
    """
    own = processor.chat_template or processor.tokenizer.chat_template
    if isinstance(own, dict):
        own = own.get("default")
    template = own or FALLBACKS.get(model_type)
    if not template:
        raise UserError(
            f"{name} has no chat template, and there is no built-in one for {model_type!r} models; "
            "put a chat_template.jinja into the model's folder"
        )
    return str(template)
