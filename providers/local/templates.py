"""Chat templates for model families whose repositories may ship none."""

from collections.abc import Mapping

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

# Instructions in plain text, one after the other; its processor puts the picture before them.
INSTRUCTBLIP = """\
{%- for message in messages -%}
{%- for part in message.content if part.type == "text" %}{{ part.text + "\\n" }}{% endfor -%}
{%- endfor -%}
"""

FALLBACKS: Mapping[str, str] = {"idefics2": IDEFICS2, "instructblip": INSTRUCTBLIP}
"""By the `model_type` of a model's configuration."""
