"""Reads the records of a run: what the model asked for before it answered.

    python examples/read_records.py [RUN]

RUN is a run's folder. Without it, a scripted model plays a few samples first.
"""

import sys

from proactive_agent import evaluate, open_run

if len(sys.argv) > 1:
    result = open_run(sys.argv[1])
else:
    result = evaluate("baseline:oracle", scenarios=["rod", "imagenet-c"], limit=2)

for episode in result.episodes():
    asked = [turn.action.tool for turn in episode.turns if turn.action.kind == "intervention"]
    end = "right" if episode.outcome.correct else episode.outcome.stop
    print(f"{episode.scenario}:{episode.sample_id}: asked for {asked or 'nothing'}, {end}")

rows = result.rows()  # pandas.DataFrame(rows) makes a table of them
print(f"{len(rows)} episodes, {sum(row['turns'] for row in rows)} turns in {result.folder}")
