"""Plays reply scripts through the published `proactivebench` 0.1.1; needs Python >= 3.12.

    python3.12 reference_driver.py FOLDER_OF_THE_UNPACKED_WHEEL < episodes.jsonl > turns.jsonl

One JSON object a line in, one out, in the same order.  In: `stem`, `entry`, `hint`, `reference`,
`replies`.  Out: `turns`, `stop`, `correct`, `num_turns`, and `crash` where the published code
raised.
It is the oracle of the parity test and imports nothing of ours.
"""

import importlib
import json
import sys
import types

DATA_DIR = "data"


class _Recorder:
    """Stands in for a picture: keeps the box that the published transform crops to."""

    box = None

    def crop(self, box):
        self.box = list(box)
        return self


def _stub(name, **attributes):
    """The published data module imports heavy libraries that its prompt template does not use."""
    module = types.ModuleType(name)
    for key, value in attributes.items():
        setattr(module, key, value)
    sys.modules[name] = module
    return module


def _load(folder):
    sys.path.insert(0, folder)
    _stub("jsonlines")
    _stub("torch", utils=types.SimpleNamespace(data=types.SimpleNamespace(Dataset=object)))
    _stub("qwen_vl_utils", process_vision_info=None)
    image = _stub("PIL.Image")
    _stub("PIL", Image=image)
    environment = importlib.import_module("proactivebench.environment")
    data = importlib.import_module("proactivebench.data_utils")
    return environment.get_environment, data.apply_multi_choice_template


def _turn(environment, template, episode, reply):
    state = environment.get_state(hint=episode["hint"])
    picture = _Recorder()
    state["transform"](picture)
    turn = {
        "path": state["image_path"].removeprefix(DATA_DIR + "/"),
        "crop": picture.box,
        "prompt": template(state["prompt"], state["options"], short_answer=True),
        "options": state["options"],
    }
    environment.evaluate_generated_answer(reply)
    turn["suggestion"] = environment.action_evaluation_history[-1]
    turn["category"] = environment.category_evaluation_history[-1]
    return turn


def _play(get_environment, template, episode):
    turns = []
    result = {"turns": turns, "crash": None}
    try:
        environment = get_environment(episode["stem"])(
            entry=episode["entry"], data_dir=DATA_DIR, reference=episode["reference"]
        )
        for reply in episode["replies"]:
            if environment.stop:
                break
            turns.append(_turn(environment, template, episode, reply))
        statistics = environment.get_statistics()
        result.update(
            stop=environment.stop,
            correct=statistics["correct_prediction"],
            num_turns=statistics["num_turns"],
        )
    except (AssertionError, IndexError, ValueError) as error:
        result["crash"] = f"{type(error).__name__}: {error}"
    return result


def main():
    get_environment, template = _load(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(_play(get_environment, template, json.loads(line))))


if __name__ == "__main__":
    main()
