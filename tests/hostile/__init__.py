"""Hostile inputs by area, with the generators that make them.

- data folders: `test_data_folders.py`
- pictures: `test_pictures.py`
- archives and downloads: `test_archives.py`
- run folders: `test_run_folders.py`; `records.py` has terminal escapes and markup in every text
- plug-ins: `test_plug_ins.py`
- replies of an API: `tests/providers/hostile_server.py`, which misbehaves on demand
- keys that a server repeats: `test_secrets.py`
- replies that are long: `test_long_replies.py`
- kill points: `test_kill_points.py`; `killing.py` kills commands at random moments
- power cuts: `test_power_cuts.py`
- random inputs of all kinds: `test_fuzz.py`; `mutations.py` makes them out of good ones
- the seed of everything random: `randomness.py`

Each file begins with its generator and a table of cases: a name, the hostile input, and words of
the message that refuses it. A new case is one line of that table. `attacking.refusal` runs a
command on the input and checks what holds for every area: an end within seconds, the exit code of
a refusal, a short message and no traceback. `SECURITY.md` states what is promised in each area.
"""
