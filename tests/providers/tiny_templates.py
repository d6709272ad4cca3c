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
{%- if message['reasoning_content'] -%}
{{- '<think>\\n' + message['reasoning_content'] + '\\n</think>\\n' }}
{%- endif -%}
{%- if message['content'] is string %}{{ message['content'][-24:] }}
{%- else -%}
{%- for part in message['content'] or [] if part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- endfor -%}
{%- for part in message['content'] or [] if part['type'] == 'text' -%}
{{- part['text'][-24:] }}
{%- endfor -%}
{%- endif -%}
{%- for call in message['tool_calls'] or [] -%}
{{- '<tool_call>\\n' }}
{{- {'name': call['function']['name'], 'arguments': call['function']['arguments']} | tojson }}
{{- '\\n</tool_call>' }}
{%- endfor -%}
{{- '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking %}{{ '<think>\\n' }}{% endif -%}
{%- endif -%}
"""
"""The names of the tools, pictures, calls, thoughts, and the end of every text."""

USER_ASSISTANT = """\
{%- for message in messages -%}
{{- ('ASSISTANT' if message.role == 'assistant' else message.role | upper) + ': ' }}
{%- for part in message.content if part.type == 'image' %}{{ '<image>\\n' }}{% endfor -%}
{%- for part in message.content if part.type == 'text' -%}
{{- part.text + (eos_token if message.role == 'assistant' else ' ') }}
{%- endfor -%}
{%- endfor -%}
{%- if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif -%}
"""

INST = """\
{%- for message in messages -%}
{%- if message.role != 'assistant' %}{{ '[INST] ' }}{% endif -%}
{%- for part in message.content if part.type == 'image' %}{{ '<image>\\n' }}{% endfor -%}
{%- for part in message.content if part.type == 'text' %}{{ part.text }}{% endfor -%}
{{- eos_token if message.role == 'assistant' else ' [/INST]' }}
{%- endfor -%}
"""

QWEN3 = """\
{%- if tools -%}
{{- '<|im_start|>system\\n# Tools\\n<tools>' }}
{%- for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor -%}
{{- '\\n</tools><|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' -%}
{{- '<|im_start|>user\\n<tool_response>\\n' }}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- endif -%}
{%- if message.content is string %}{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{%- for call in message.tool_calls or [] -%}
{{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- (call.function.arguments | tojson) + '}\\n</tool_call>' }}
{%- endfor -%}
{{- ('\\n</tool_response>' if message.role == 'tool' else '') + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking %}{{ '<think>\\n' }}{% endif -%}
{%- endif -%}
"""

QWEN35 = """\
{%- if tools -%}
{{- '<|im_start|>system\\n# Tools\\n<tools>' }}
{%- for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor -%}
{{- '\\n</tools><|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + ('user' if message.role == 'tool' else message.role) + '\\n' }}
{%- if message.content is string %}{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{%- for call in message.tool_calls or [] -%}
{{- '\\n<tool_call>\\n<function=' + call.function.name + '>\\n' }}
{%- for name, value in call.function.arguments | items -%}
{{- '<parameter=' + name + '>\\n' + value + '\\n</parameter>\\n' }}
{%- endfor -%}
{{- '</function>\\n</tool_call>' }}
{%- endfor -%}
{{- '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""

GEMMA3 = """\
{{- bos_token }}
{%- set told = namespace(text='') -%}
{%- if messages[0].role == 'system' -%}
{%- set told.text = messages[0].content[0].text + '\\n\\n' -%}
{%- set messages = messages[1:] -%}
{%- endif -%}
{%- for message in messages -%}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
{{- raise_exception('The turns must alternate user, assistant, user, ...') }}
{%- endif -%}
{{- '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' }}
{{- told.text if loop.first else '' }}
{%- for part in message.content -%}
{%- if part.type == 'image' %}{{ '<start_of_image>' }}{% else %}{{ part.text | trim }}{% endif -%}
{%- endfor -%}
{{- '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif -%}
"""

MISTRAL = """\
{{- bos_token }}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{{- '[SYSTEM_PROMPT]' + message.content[0].text + '[/SYSTEM_PROMPT]' }}
{%- elif message.role == 'user' -%}
{%- if tools and loop.last -%}
{{- '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}
{%- endif -%}
{{- '[INST]' }}
{%- for part in message.content -%}
{%- if part.type == 'image' %}{{ '[IMG]' }}{% else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{{- '[/INST]' }}
{%- elif message.role == 'tool' -%}
{%- if message.tool_call_id | length != 9 %}{{ raise_exception('nine letters') }}{% endif -%}
{{- '[TOOL_RESULTS]' + message.content + '[/TOOL_RESULTS]' }}
{%- else -%}
{%- for part in message.content %}{{ part.text }}{% endfor -%}
{%- for call in message.tool_calls or [] -%}
{{- '[TOOL_CALLS]' + call.function.name + '[ARGS]' + (call.function.arguments | tojson) }}
{%- endfor -%}
{{- eos_token }}
{%- endif -%}
{%- endfor -%}
"""

LLAMA32 = """\
{{- bos_token }}
{%- if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif -%}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: ' + date_string }}
{%- if messages[0].role == 'system' -%}
{{- '\\n\\n' + messages[0].content[0].text }}
{%- set messages = messages[1:] -%}
{%- endif -%}
{{- '<|eot_id|>' }}
{%- if tools -%}
{{- '<|start_header_id|>user<|end_header_id|>\\n\\n' }}
{%- for tool in tools %}{{ (tool | tojson) + '\\n' }}{% endfor -%}
{{- (messages[0].content | trim) + '<|eot_id|>' }}
{%- set messages = messages[1:] -%}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' -%}
{{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' + (message.content | tojson) }}
{%- elif message.tool_calls -%}
{%- set call = message.tool_calls[0].function -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.name + '", ' }}
{{- '"parameters": ' + (call.arguments | tojson) + '}' }}
{%- else -%}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
{%- for part in message.content -%}
{%- if part.type == 'image' %}{{ '<|image|>' }}{% else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif -%}
"""

AYA = """\
{{- bos_token }}
{%- for message in messages -%}
{%- set role = {'user': '<|USER_TOKEN|>', 'assistant': '<|CHATBOT_TOKEN|>'} -%}
{{- '<|START_OF_TURN_TOKEN|>' + role.get(message.role, '<|SYSTEM_TOKEN|>') }}
{%- for part in message.content -%}
{%- if part.type == 'image' %}{{ '<image>' }}{% else %}{{ part.text | trim }}{% endif -%}
{%- endfor -%}
{{- '<|END_OF_TURN_TOKEN|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif -%}
"""

GLM = """\
[gMASK]<sop>
{%- for message in messages -%}
{{- '<|' + message.role + '|>\\n' }}
{%- for part in message.content -%}
{%- if part.type == 'image' %}{{ '<|begin_of_image|><|image|><|end_of_image|>' }}
{%- else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>\\n' }}
{{- '<think></think>\\n' if enable_thinking is defined and not enable_thinking }}
{%- endif -%}
"""

PHI4 = """\
{%- for message in messages -%}
{{- '<|' + message.role + '|>' + message.content + '<|end|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif -%}
"""

LFM25 = """\
{{- bos_token }}
{%- set told = namespace(text='') -%}
{%- if messages[0].role == 'system' -%}
{%- set told.text = messages[0].content[0].text -%}
{%- set messages = messages[1:] -%}
{%- endif -%}
{%- if tools -%}
{%- set told.text = told.text + '\\nList of tools: [' -%}
{%- for tool in tools %}{% set told.text = told.text + (tool | tojson) + ', ' %}{% endfor -%}
{%- set told.text = told.text + ']' -%}
{%- endif -%}
{%- if told.text %}{{ '<|im_start|>system\\n' + told.text + '<|im_end|>\\n' }}{% endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.content is string %}{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' %}{{ '<image>' }}{% else %}{{ part.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
{%- if message.tool_calls -%}
{{- '<|tool_call_start|>[' }}
{%- for call in message.tool_calls -%}
{{- (', ' if not loop.first else '') + call.function.name + '(' }}
{%- for name, value in call.function.arguments.items() -%}
{%- set text = value | replace('\\\\', '\\\\\\\\') | replace("'", "\\\\'") -%}
{{- (', ' if not loop.first else '') + name + "='" + (text | replace('\\n', '\\\\n')) + "'" }}
{%- endfor -%}
{{- ')' }}
{%- endfor -%}
{{- ']<|tool_call_end|>' }}
{%- endif -%}
{{- '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""
