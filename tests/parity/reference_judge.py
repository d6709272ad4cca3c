"""Runs the judge's prompts and the reading of verdicts of the published `proactivebench` 0.1.1.

    python3.12 reference_judge.py FOLDER_OF_THE_UNPACKED_WHEEL < lines.jsonl > answers.jsonl

Reads one JSON object per line and writes one per line, in the same order. A line with `entry`,
`stem`, `hint` and `reply` gives the messages for the judge. A line with `raw`, `answers` and
`title` gives the reading of the judge's output `raw`. This imports nothing of this program.
"""

import importlib
import json
import sys

import reference_driver


def _messages(environment_of, judge, question):
    environment = environment_of(question["stem"])(
        entry=question["entry"], data_dir=reference_driver.DATA_DIR
    )
    prompt = environment.get_state(hint=False)["prompt"] + question["hint"]
    answers = environment.get_open_ended_gen_answers()
    return {
        "answers": answers,
        "messages": judge.get_oeg_judge_messages(
            prompt=prompt, valid_answers=answers, generated_answer=question["reply"]
        ),
    }


def main():
    module, _ = reference_driver._load(sys.argv[1])
    judge = importlib.import_module("proactivebench.open_ended_gen")
    for line in sys.stdin:
        question = json.loads(line)
        if "entry" in question:
            answer = _messages(module.get_environment, judge, question)
        else:
            answer = judge.parse_judge_prediction(
                question["answers"], question["raw"], question["title"]
            )
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
