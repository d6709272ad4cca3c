"use strict";
// Texts of the data are inserted as text, never as HTML.
(() => {
  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const data = JSON.parse(document.getElementById("data").textContent);
  const list = document.getElementById("list");
  if (!list) return; // The page has no episodes.
  const form = document.getElementById("filters");
  const search = document.getElementById("search");
  const filters = ["run", "scenario", "group"].map((name) => document.getElementById(name));

  // Results differ in colour, in sign and in word.
  const MARKS = {
    right: ["good full", "✓"], accepted: ["good", "✓"],
    wrong: ["bad full", "✗"], "by luck": ["bad full", "✗"], "not accepted": ["bad", "✗"],
    "asked vaguely": ["bad", "~"],
    "gave up": ["bad", "–"], "no action": ["bad", "?"], error: ["bad", "!"],
  };

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const mark = (name) => make("b", `mark ${MARKS[name][0]}`, MARKS[name][1]);
  const frame = (turn) => {
    if (turn.picture === null) return make("span", "missing", "no picture");
    const image = make("img");
    image.src = data.pictures[turn.picture];
    image.alt = "";
    return image;
  };

  const detailOf = (turn, number) => {
    const detail = make("div", "detail");
    const shown = make("div");
    shown.append(frame(turn), make("p", "note", turn.path));
    const told = make("dl");
    const tell = (name, className, texts) => {
      const values = texts.filter(Boolean).map((text) => make("dd", className, text));
      if (values.length) told.append(make("dt", "", name), ...values);
    };
    tell(`turn ${number + 1}, shown`, "text", [turn.prompt]);
    tell("called", "text call", turn.calls);
    tell("wrote", "text", [turn.text]);
    if (!turn.calls.length && !turn.text) tell("wrote", "", ["(an empty reply)"]);
    tell("read as", "", [turn.step]);
    tell("verdict", "", [turn.verdict]);
    told.lastChild.prepend(mark(turn.verdict));
    tell("notes", "", turn.notes);
    detail.append(shown, told);
    return detail;
  };

  const stepOf = (entry, turn, number) => {
    const item = make("li");
    const button = make("button", `step ${MARKS[turn.verdict][0]}`);
    button.type = "button";
    button.tabIndex = number ? -1 : 0;
    button.setAttribute("aria-expanded", "false");
    button.title = turn.step;
    const said = make("span", "verdict");
    said.append(mark(turn.verdict), make("span", "", turn.verdict));
    button.append(
      frame(turn), make("span", "number", number + 1), make("span", "call", turn.step.replace("(", "\u200b(")), said,
    );
    button.addEventListener("click", () => toggle(entry, number));
    item.append(button);
    return item;
  };

  const toggle = (entry, number) => {
    const close = entry.open === number;
    entry.open = close ? -1 : number;
    entry.item.querySelector(".detail")?.remove();
    entry.steps.forEach((step, at) => step.setAttribute("aria-expanded", at === entry.open));
    if (!close) entry.item.append(detailOf(entry.episode.turns[number], number));
  };

  // Episodes are filled in when they are scrolled near, as pages may have many pictures.
  const fill = (entry) => {
    if (entry.steps) return;
    const { episode, strip } = entry;
    const items = episode.turns.map((turn, number) => stepOf(entry, turn, number));
    entry.steps = items.map((item) => item.firstChild);
    const end = make("li", "end");
    if (episode.error) end.append(make("p", "error", episode.error));
    end.append(make("span", "note", "right answer"), make("span", "", episode.target));
    strip.append(...items, end);
  };

  const entries = data.episodes.map((episode) => {
    const item = make("li", `episode ${episode.state}`);
    if (!episode.turns.length) item.tabIndex = -1;
    const head = make("h3");
    const many = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
    const needed = episode.fewest === null ? "" : `, ${episode.fewest} needed`;
    const turns = many(episode.turns.length, "turn");
    const accepted = many(episode.accepted, "request");
    const group = make("span", "", episode.group);
    group.title = episode.meaning;
    head.append(
      mark(episode.state), make("span", "name", episode.name), group,
      make("span", "note", `${turns}, ${accepted} accepted${needed}`),
      make("span", "run", episode.run),
    );
    const strip = make("ol", "strip");
    item.append(head, strip);
    const words = [episode.name, episode.group, episode.target, episode.error || ""];
    for (const turn of episode.turns) words.push(turn.text, turn.step, ...turn.calls);
    return { item, strip, episode, open: -1, text: words.join("\n").toLowerCase() };
  });
  const entryOf = new Map(entries.map((entry) => [entry.item, entry]));
  list.append(...entries.map((entry) => entry.item));
  const near = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (!isIntersecting) continue;
      fill(entryOf.get(target));
      near.unobserve(target);
    }
  }, { rootMargin: "800px" });
  for (const { item } of entries) near.observe(item);

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
  form.addEventListener("change", apply);
  search.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("a[data-group]");
    if (!link) return;
    search.value = "";
    for (const select of filters) select.value = link.dataset[select.id];
    apply(); // The link itself leads to the gallery.
  });
  apply();

  const here = () => entryOf.get(document.activeElement?.closest(".episode"));
  const focus = (step) => {
    step.focus();
    step.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const goEpisode = (by) => {
    const next = visible[Math.min(Math.max(visible.indexOf(here()) + by, 0), visible.length - 1)];
    if (!next) return;
    fill(next);
    next.item.scrollIntoView({ block: "nearest" });
    if (next.steps.length) focus(next.steps.find((step) => step.tabIndex === 0));
    else next.item.focus();
  };
  const goTurn = (by) => {
    const steps = here()?.steps;
    const now = steps?.indexOf(document.activeElement) ?? -1;
    if (now < 0 || !steps[now + by]) return;
    steps[now].tabIndex = -1;
    steps[now + by].tabIndex = 0;
    focus(steps[now + by]);
  };
  const KEYS = {
    j: () => goEpisode(1), k: () => goEpisode(-1), "/": () => search.focus(),
    ArrowRight: () => goTurn(1), ArrowLeft: () => goTurn(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") search.blur();
      return;
    }
    if (event.target instanceof HTMLSelectElement || !KEYS[event.key]) return;
    if (event.key.startsWith("Arrow") && !here()) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  addEventListener("beforeprint", () => visible.forEach(fill));
})();
