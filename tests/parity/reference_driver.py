"""Plays reply scripts through the published `proactivebench` 0.1.1; needs Python >= 3.12.

    python3.12 reference_driver.py FOLDER_OF_THE_UNPACKED_WHEEL < episodes.jsonl > turns.jsonl

Reads one JSON object per line and writes one per line, in the same order. Input: `stem`, `entry`,
`hint`, `reference`, `replies`; `resize` and `sizes` (of pictures by path, 64 x 48 where unknown) if
pictures are scaled. Output: `turns`, `stop`, `correct`, `num_turns`, and `crash` if the published
code raised an error.

`draws` makes the suggestions random ones: it lists for each turn a word of the action that follows,
or null in turns without one.

A line with `choose` asks for a solved example that suggests this option; `reasoning` adds the
sentence before it, `reduced` asks for the form with small pictures and few turns. Output: `steps`.

This is the oracle of the differential test. It imports nothing of this program.
"""

import importlib
import json
import sys
import types

DATA_DIR = "data"


class _Recorder:
    """A substitute for a picture that records how the published transform crops and scales it."""

    box = None

    def __init__(self, size):
        self.size = size

    def crop(self, box):
        self.box = list(box)
        return self

    def resize(self, size):
        self.size = list(size)
        return self


def _stub(name, **attributes):
    """Replaces a heavy library that the published data module imports but does not need here."""
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
    return environment, data.apply_multi_choice_template


def _shown(state, template, episode):
    path = state["image_path"].removeprefix(DATA_DIR + "/")
    picture = _Recorder(episode.get("sizes", {}).get(path, [64, 48]))
    state["transform"](picture)
    return {
        "path": path,
        "crop": picture.box,
        "size": picture.size,
        "prompt": template(state["prompt"], state["options"], short_answer=True),
        "options": state["options"],
    }


def _turn(environment, template, episode, reply):
    turn = _shown(environment.get_state(hint=episode["hint"]), template, episode)
    environment.evaluate_generated_answer(reply)
    turn["suggestion"] = environment.action_evaluation_history[-1]
    turn["category"] = environment.category_evaluation_history[-1]
    return turn


def _play(module, template, episode):
    turns = []
    result = {"turns": turns, "crash": None}
    draws = episode.get("draws")
    # The published code draws a random action; this makes it draw the one of the list.
    module.random = types.SimpleNamespace(choice=lambda keys: _drawn(keys, draws[len(turns)]))
    try:
        environment = module.get_environment(episode["stem"])(
            entry=episode["entry"],
            data_dir=DATA_DIR,
            reference=episode["reference"],
            resize_samples=episode.get("resize", False),
            random=draws is not None,
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


def _drawn(keys, wanted):
    return keys[0] if wanted is None else keys[keys.index(wanted)]


def _solve(module, template, episode):
    entry = episode["entry"]
    wanted = entry["options"].index(episode["choose"])
    # The published code draws a valid option at random; this makes it draw the requested one.
    module.random = types.SimpleNamespace(choice=lambda valid: valid[valid.index(wanted)])
    environment = module.get_environment(episode["stem"])(entry=entry, data_dir=DATA_DIR)
    steps = environment.get_icl_example(
        hint=episode["hint"],
        cot=episode["reasoning"],
        resize=episode["reduced"],
        reduce_icl_steps=episode["reduced"],
    )
    shown = [
        _shown(step, template, episode) | {"reply": step["generated_answer"]} for step in steps
    ]
    return {"steps": shown}


def main():
    module, template = _load(sys.argv[1])
    for line in sys.stdin:
        episode = json.loads(line)
        if "choose" in episode:
            print(json.dumps(_solve(module, template, episode)))
        else:
            print(json.dumps(_play(module, template, episode)))


if __name__ == "__main__":
    main()
