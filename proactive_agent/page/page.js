"use strict";
// Texts of the data go into the page as text alone, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const list = document.getElementById("list");
  const search = document.getElementById("search");
  const filters = ["run", "scenario", "group"].map((name) => document.getElementById(name));

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const turnOf = (turn) => {
    const item = make("li", `turn ${turn.verdict}`);
    const shown = make("div");
    if (turn.picture === null) {
      shown.append(make("p", "note", turn.path));
    } else {
      const image = make("img");
      image.src = data.pictures[turn.picture];
      image.alt = turn.path;
      shown.append(image);
    }
    const told = make("div");
    told.append(make("pre", "prompt", turn.prompt));
    for (const call of turn.calls) told.append(make("pre", "call", `→ ${call}`));
    if (turn.text) told.append(make("pre", "reply", turn.text));
    told.append(make("p", "action", turn.action));
    item.append(shown, told);
    return item;
  };

  const fill = (details, episode) => {
    if (details.childElementCount > 1) return;
    details.append(make("p", "target", `Right answer: ${episode.target} ${episode.meaning}`));
    if (episode.error) details.append(make("p", "error", episode.error));
    const turns = make("ol", "turns");
    turns.append(...episode.turns.map(turnOf));
    details.append(turns);
  };

  const entries = data.episodes.map((episode) => {
    const item = make("li");
    const details = make("details", episode.right ? "episode right" : "episode");
    const summary = make("summary");
    const repeat = episode.repeat ? ` #${episode.repeat + 1}` : "";
    const turns = `${episode.turns.length} ${episode.turns.length === 1 ? "turn" : "turns"}`;
    const needed = episode.fewest === null ? "" : ` of ${episode.fewest} needed`;
    summary.append(
      make("b", "", `${episode.scenario}:${episode.sample}${repeat}`),
      make("span", "group", episode.group),
      make("span", "note", `${turns}, ${episode.suggestions}${needed} suggestions accepted`),
      make("span", "run", episode.run),
    );
    details.append(summary);
    details.addEventListener("toggle", () => details.open && fill(details, episode));
    item.append(details);
    const words = [episode.target, episode.error || ""];
    for (const turn of episode.turns) words.push(turn.text, turn.action, ...turn.calls);
    return { item, details, summary, episode, text: words.join("\n").toLowerCase() };
  });
  list.append(...entries.map((entry) => entry.item));

  for (const select of filters) {
    const values = [...new Set(data.episodes.map((episode) => episode[select.id]))];
    select.append(...values.map((value) => {
      const option = make("option", "", value);
      option.value = value;
      return option;
    }));
  }

  let visible = entries;
  const apply = () => {
    const wanted = search.value.toLowerCase();
    visible = entries.filter(({ episode, text, item }) => {
      const fits = filters.every(({ id, value }) => !value || episode[id] === value)
        && (!wanted || text.includes(wanted));
      item.hidden = !fits;
      return fits;
    });
    document.getElementById("count").textContent = `${visible.length} of ${entries.length}`;
  };
  for (const select of filters) select.addEventListener("change", apply);
  search.addEventListener("input", apply);
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  apply();

  const step = (by) => {
    const now = visible.findIndex(({ summary }) => summary === document.activeElement);
    const next = visible[Math.min(Math.max(now + by, 0), visible.length - 1)];
    if (!next) return;
    next.summary.focus();
    next.item.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") search.blur();
      return;
    }
    if (event.target instanceof HTMLSelectElement) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
  });

  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("beforeprint", () => {
    for (const { details } of visible) details.open = true;
  });
})();
