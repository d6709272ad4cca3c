"""Chat templates for the tiny models, similar to those of real models."""

USER_COLON = """\
{%- for message in messages -%}
{{- message['role'] | capitalize + ':' }}
{%- if message['content'][0]['type'] != 'image' %}{{ ' ' }}{% endif -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ '<image>' }}{% endif -%}
{%- endfor -%}
{{- '<end_of_utterance>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}Assistant:{% endif -%}
"""

IMAGES_FIRST = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + ' ' }}
{%- for part in message['content'] | selectattr('type', 'equalto', 'image') -%}
{{- '<image>' }}
{%- endfor -%}
{%- for part in message['content'] | selectattr('type', 'equalto', 'text') -%}
{{- '\\n' + part['text'] }}
{%- endfor -%}
{{- '<|im_end|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""

CHATML = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- else %}{{ part['text'] }}{% endif -%}
{%- endfor -%}
{{- '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""

CHATML_TEXTS = """\
{%- for message in messages -%}
{%- if message.content is string %}{% set content = message.content %}
{%- else %}{% set content = '' %}{% endif -%}
{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think></think>' }}{% endif -%}
"""

CHATML_WITH_TOOLS = """\
{%- if tools -%}
{{- '<|im_start|>system\\n<tools>' }}
{%- for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor -%}
{{- '\\n</tools><|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['content'] is string %}{{ message['content'] }}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- else %}{{ part['text'] }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{%- for call in message['tool_calls'] or [] -%}
{{- '<tool_call>' + (call['function'] | tojson) + '</tool_call>' }}
{%- endfor -%}
{{- '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""

PICTURES_AND_CALLS = """\
{%- if tools -%}
{{- '<|im_start|>system\\n' }}
{%- for tool in tools %}{{ tool['function']['name'] + ' ' }}{% endfor -%}
{{- '<|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['content'] is not string -%}
{%- for part in message['content'] or [] if part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- endfor -%}
{%- endif -%}
{%- for call in message['tool_calls'] or [] -%}
{{- '<tool_call>\\n' }}
{{- {'name': call['function']['name'], 'arguments': call['function']['arguments']} | tojson }}
{{- '\\n</tool_call>' }}
{%- endfor -%}
{{- '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""
