"""Start-up time of the program, compared with a Python process that does nothing.

python -m benchmarks.start_up
"""

import subprocess
import sys
import time

ROUNDS = 11
COMMANDS = {
    "--help": ["-m", "proactive_agent", "--help"],
    "run --help": ["-m", "proactive_agent", "run", "--help"],
    "run --dry-run": ["-m", "proactive_agent", "run", "--dry-run"],
}


def fastest(arguments: list[str]) -> float:
    """Returns the seconds of the fastest of several starts."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Prints one line per command."""
    nothing = fastest(["-c", "pass"])
    print(f"python -c pass: {nothing:.3f} s")
    for name, arguments in COMMANDS.items():
        seconds = fastest(arguments)
        print(f"{name}: {seconds:.3f} s, {seconds / nothing:.1f} x python -c pass")


if __name__ == "__main__":
    main()
