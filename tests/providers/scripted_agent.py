"""An agent by script, which speaks MCP with the standard library alone, so that it starts fast.

    python scripted_agent.py URL [BEHAVIOUR]

It looks at the pictures of the sight check with Pillow. In an episode it asks once with the first
intervention on offer, then answers with the first category. `BEHAVIOUR` changes that.
"""

import base64
import http.client
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

VERSION = "2025-06-18"


class Mcp:
    """A client of one endpoint."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.path = parts.path
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self.session = ""
        self.number = 0
        self.ask("initialize", protocolVersion=VERSION, capabilities={},
                 clientInfo={"name": "scripted", "version": "1.0"})  # fmt: skip
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method, **params):
        self.number += 1
        reply = self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["result"]

    def send(self, message):
        headers = {"Content-Type": "application/json", "MCP-Protocol-Version": VERSION,
                   "Accept": "application/json, text/event-stream"}  # fmt: skip
        if self.session:
            headers["Mcp-Session-Id"] = self.session
        self.connection.request("POST", self.path, json.dumps(message), headers)
        response = self.connection.getresponse()
        self.session = response.headers.get("Mcp-Session-Id", self.session)
        body = response.read()
        if response.status >= 400:
            raise RuntimeError(f"HTTP {response.status}: {body[:200]!r}")
        return json.loads(body) if body else {}

    def tools(self):
        return {tool["name"]: tool for tool in self.ask("tools/list")["tools"]}

    def call(self, name, **arguments):
        return self.ask("tools/call", name=name, arguments=arguments)


def texts(result):
    return " ".join(part["text"] for part in result["content"] if part["type"] == "text")


def pictures(result):
    return [part["data"] for part in result["content"] if part["type"] == "image"]


def choices(tool):
    (parameter,) = tool["inputSchema"]["properties"].values()
    return parameter["enum"]


def read_sign(data, tool):
    """Returns colour and word of a picture of the sight check."""
    from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    known = {"red": (208, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 224),
             "yellow": (240, 208, 0), "black": (0, 0, 0), "orange": (255, 128, 0)}  # fmt: skip
    seen = image.getpixel((128, 80))
    colour = min(known, key=lambda c: sum(abs(a - b) for a, b in zip(known[c], seen, strict=True)))

    def distance(word):
        drawn = Image.new("RGB", image.size, "white")
        font = ImageFont.load_default(44)
        ImageDraw.Draw(drawn).text((128, 190), word, fill="black", anchor="mm", font=font)
        box = (0, 140, 256, 256)
        return sum(ImageStat.Stat(ImageChops.difference(image.crop(box), drawn.crop(box))).sum)

    words = tool["inputSchema"]["properties"]["word"]["enum"]
    return {"colour": colour, "word": min(words, key=distance)}


def check_sight(client, tools, behaviour):
    result = client.call("look")
    for _ in range(2):
        seen = pictures(client.call("look") if "read_question" in tools else result)
        if behaviour == "blind":
            seen = []
        sign = read_sign(seen[0], tools["report"]) if seen else {"colour": "red", "word": "VIOLIN"}
        result = client.call("report", **sign)


def play(client, tools, behaviour):
    look = client.call("look")
    if "read_question" in tools:
        assert not texts(look)
        assert texts(client.call("read_question"))
    asks = [name for name in tools if name not in OWN]
    if asks:
        values = tools[asks[0]]["inputSchema"]["properties"]
        arguments = {name: value["enum"][0] for name, value in values.items()}
        result = client.call(asks[0], **arguments)
        if "ended" in texts(result):
            return
    client.call("answer", category=choices(tools["answer"])[0])


OWN = {"look", "read_question", "answer", "abstain", "ask_clarification", "report"}


def main() -> None:
    url, *rest = sys.argv[1:]
    behaviour = rest[0] if rest else ""
    if behaviour in BEFORE:
        BEFORE[behaviour](url)
        return
    client = Mcp(url)
    tools = client.tools()
    if "report" in tools:
        check_sight(client, tools, behaviour)
        return
    HABITS.get(behaviour, play)(client, tools, behaviour)


def mortal(client, tools, behaviour):
    """Dies in one of three processes, at a random moment of the episode."""
    if random.random() < 1 / 3:
        kill = lambda: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        timer = threading.Timer(random.random() * 0.1, kill)
        timer.daemon = True
        timer.start()
        client.call("look")
        time.sleep(random.choice((0, 60)))
    play(client, tools, behaviour)


def says(client, tools, behaviour):
    client.call("look")
    print("I think it is", choices(tools["answer"])[0])


def counts(client, tools, behaviour):
    play(client, tools, behaviour)
    usage = {"input_tokens": 70, "output_tokens": 7, "cost_usd": 0.25}
    Path("usage.json").write_text(json.dumps(usage))


def goes_on(client, tools, behaviour):
    """Calls after the end, and reports what it gets, in a file that the test named."""
    play(client, tools, behaviour)
    again = [client.call(name) for name in ("look", "abstain", "look")]
    tell([[result["isError"], texts(result)] for result in again])


def floods(client, tools, behaviour):
    """Sends 100 calls at once, and reports how many results came."""
    results = []
    clients = [Mcp(sys.argv[1]) for _ in range(50)]

    def ask(one):
        results.extend(texts(one.call("look"))[:20] for _ in range(2))

    threads = [threading.Thread(target=ask, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.call("abstain")
    tell(len(results))


def huge(client, tools, behaviour):
    client.call("abstain", reason="x" * 10_000_000)


def unknown(client, tools, behaviour):
    client.call("../../etc/passwd", category="../../../etc/passwd")


def forks(client, tools, behaviour):
    """Leaves a child that ignores SIGTERM, and one in a session of its own."""
    script = ("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
              f"print('{MARK}', flush=True); time.sleep(600)")  # fmt: skip
    for own_session in (False, True):
        subprocess.Popen([sys.executable, "-c", script], start_new_session=own_session)
    play(client, tools, behaviour)
    time.sleep(600)


def garbage(client, tools, behaviour):
    client.call("look")
    sys.stdout.buffer.write(bytes(range(256)) * 20_000)
    sys.stderr.buffer.write(bytes(range(256)) * 20_000)


def fails(client, tools, behaviour):
    client.call("look")
    print("no credit left", file=sys.stderr)
    sys.exit(3)


def at_once(client, tools, behaviour):
    """Sends two calls at the same time."""
    other = Mcp(sys.argv[1])
    values = tools["move_object"]["inputSchema"]["properties"]["direction"]["enum"]
    thread = threading.Thread(target=other.call, args=("move_object",),
                              kwargs={"direction": values[0]})  # fmt: skip
    thread.start()
    client.call("move_object", direction=values[0])
    thread.join()
    client.call("answer", category=choices(tools["answer"])[0])


def links(client, tools, behaviour):
    """Leaves a link to a file outside of its directory in place of its counts."""
    play(client, tools, behaviour)
    Path("usage.json").symlink_to(sys.argv[3])


def sees(client, tools, behaviour):
    """Reports its variables, its directory and the URL of its episode."""
    client.call("look")
    tell({"variables": dict(os.environ), "files": os.listdir("."), "cwd": str(Path.cwd()),  # noqa: PTH208
          "url": sys.argv[1], "tools": list(tools)})  # fmt: skip
    play(client, tools, behaviour)


def steals(client, tools, behaviour):
    """Tries the URL with other tokens and paths."""
    url = urlsplit(sys.argv[1])
    found = []
    for path in ("/mcp", "//mcp", "/x/mcp", url.path + "/..", url.path[:-5] + "~/mcp", "/../mcp"):
        connection = http.client.HTTPConnection(url.hostname, url.port)
        connection.request("POST", path, "{}", {"Content-Type": "application/json"})
        found.append(connection.getresponse().status)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    connection.request("POST", url.path, "{}", {"Content-Type": "application/json",
                                                "Host": "example.org"})  # fmt: skip
    tell([*found, connection.getresponse().status])
    play(client, tools, behaviour)


def tell(value):
    Path(sys.argv[3]).write_text(json.dumps(value))


def sleeps(url):
    print(MARK, flush=True)
    time.sleep(600)


MARK = "agent-under-test"
BEFORE = {"sleeps": sleeps, "exits": lambda url: print("bye"), "crashes": lambda url: sys.exit(7)}
HABITS = {
    "at_once": at_once, "counts": counts, "fails": fails, "floods": floods, "forks": forks,
    "garbage": garbage, "goes_on": goes_on, "huge": huge, "links": links, "mortal": mortal,
    "says": says, "sees": sees, "steals": steals, "unknown": unknown,
}  # fmt: skip

if __name__ == "__main__":
    main()
