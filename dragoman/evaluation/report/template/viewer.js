// Sample viewer of the report: filters and lists evaluation answers and RL rollouts.
// Everything a model wrote goes through textContent, never through HTML.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const list = document.getElementById("list");
  if (!list) return;
  const controls = document.getElementById("controls");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const PAGE = 15;
  let shown = PAGE;
  let rollouts = data.rows.length === 0;

  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  };
  const select = (label, options) => {
    const made = element("select");
    made.setAttribute("aria-label", label);
    for (const [value, text] of options) {
      const option = element("option", "", text);
      option.value = value;
      made.append(option);
    }
    made.addEventListener("change", restart);
    return made;
  };
  const unique = (values) => [...new Set(values.filter(Boolean))];

  const tabs = [["evaluation", false], ["rollouts", true]].map(([text, value]) => {
    const button = element("button", "", text);
    button.type = "button";
    button.addEventListener("click", () => { rollouts = value; restart(); });
    return button;
  });
  const suite = select("suite", [["", "all suites"], ...data.suites.map((s) => [s.key, s.name])]);
  const direction = select("direction", [["", "all directions"],
    ...unique(data.rows.map((row) => row.direction)).map((d) => [d, d.replace("-", " → ")])]);
  const stage = select("stage", [["", "all stages"], ...data.stages.map((s) => [s.key, s.name])]);
  const verdict = select("verdict", [["", "right or wrong"], ["right", "right"], ["wrong", "wrong"],
    ["off", "off target"], ["gained", "wrong before, right at the end"], ["lost", "right before, wrong at the end"]]);
  const task = select("task", [["", "all tasks"], ...unique(data.rollouts.map((r) => r.task)).map((t) => [t, t])]);
  const diff = select("differences", [["", "answers"], ["words", "changed words marked"]]);
  const search = element("input");
  search.type = "search";
  search.placeholder = "search prompts and answers";
  search.addEventListener("input", restart);
  if (data.rows.length && data.rollouts.length) controls.append(...tabs);
  controls.append(suite, direction, stage, verdict, task, ...(data.stages.length > 1 ? [diff] : []), search);

  // The stages whose answers a row shows and is judged by: the chosen one, or all.
  const answersOf = (row) => data.stages
    .filter((s) => row.answers[s.key] && (!stage.value || s.key === stage.value))
    .map((s) => [s.key, row.answers[s.key]]);

  const judged = (answers) => {
    const last = answers[answers.length - 1];
    if (!last) return false;
    const before = answers.slice(0, -1).map(([, answer]) => answer.right);
    switch (verdict.value) {
      case "right": return last[1].right === true;
      case "wrong": return last[1].right === false;
      case "off": return answers.some(([, answer]) => answer.off);
      case "gained": return last[1].right === true && before.length > 0 && before[before.length - 1] === false;
      case "lost": return last[1].right === false && before.includes(true);
      default: return true;
    }
  };
  const contains = (texts) => {
    const wanted = search.value.trim().toLowerCase();
    return !wanted || texts.some((text) => text.toLowerCase().includes(wanted));
  };
  const keepsRow = (row) => {
    const answers = answersOf(row);
    return (!suite.value || row.suite === suite.value) && (!direction.value || row.direction === direction.value)
      && judged(answers) && contains([row.prompt, row.reference, ...answers.map(([, a]) => a.text)]);
  };
  const keepsRollout = (row) => (!task.value || row.task === task.value)
    && (verdict.value !== "right" || row.reward >= 1) && (verdict.value !== "wrong" || row.reward < 1)
    && contains([row.prompt, row.response]);

  const chips = (texts) => {
    const made = element("div", "chips");
    for (const text of texts.filter(Boolean)) made.append(element("span", "chip", text));
    return made;
  };
  const isWhole = (span, length) => span.start === 0 && span.end >= length;
  const told = (span) => `${span.label ? `${span.label} ` : ""}(${span.value > 0 ? "+" : ""}${span.value})`;
  const parts = (components, text) => {
    const made = element("details", "parts");
    made.append(element("summary", "", components.map((c) =>
      `${c.kind} ${c.value === null ? c.status : c.value.toFixed(2)}`).join(" · ")));
    for (const c of components) made.append(element("div", "", `${c.kind}: ${c.status}${c.detail ? `, ${c.detail}` : ""}`));
    for (const c of components) {
      for (const span of c.spans.filter((s) => isWhole(s, Array.from(text).length))) {
        made.append(element("div", "", `${c.kind}, of the whole answer: ${told(span)}`));
      }
    }
    return made;
  };
  const markOf = (answer) => {
    const word = answer.right === true ? "✓" : answer.right === false ? "✗" : "";
    const name = answer.right === true ? "mark better" : answer.right === false ? "mark worse" : "mark";
    const language = answer.off ? ` in ${answer.language}` : "";
    const reward = answer.reward === null ? "no reward" : answer.reward.toFixed(2);
    return element("span", name, `${word}${language} ${reward}`);
  };
  // The answer with the pieces that rewards marked; what is marked as a whole is told under it (parts).
  // Places count characters, not JavaScript's UTF-16 units.
  const answerText = (text, components) => {
    const made = element("p", "text");
    const letters = Array.from(text);
    const spans = components.flatMap((c) => c.spans.filter((s) => !isWhole(s, letters.length))
      .map((s) => ({ kind: c.kind, ...s })));
    if (!spans.length) {
      made.textContent = text || "(empty)";
      return made;
    }
    const cuts = unique([letters.length, ...spans.flatMap((s) => [s.start, s.end])])
      .filter((at) => at <= letters.length).sort((a, b) => a - b);
    let before = 0;
    for (const cut of cuts) {
      const piece = letters.slice(before, cut).join("");
      const here = spans.filter((s) => s.start <= before && s.end >= cut);
      made.append(here.length ? markedPiece(piece, here) : document.createTextNode(piece));
      before = cut;
    }
    return made;
  };
  const markedPiece = (piece, spans) => {
    const value = spans.reduce((sum, s) => sum + s.value, 0);
    const what = spans.map((s) => `${s.kind}: ${told(s)}`).join("; ");
    const made = element("mark", `${value < 0 ? "fault" : "gain"}${Math.abs(value) >= 1 ? " major" : ""}`, piece);
    made.title = what;
    made.tabIndex = 0;
    made.append(element("span", "said", ` [${what}]`));
    return made;
  };
  // An answer with the words that the one before lacks or had: longest common subsequence of words.
  const WORDS = 400;
  const wordsOf = (text) => text.match(/\s*\S+/g) || [];
  const changedText = (before, after) => {
    const [a, b] = [wordsOf(before), wordsOf(after)];
    if (Math.max(a.length, b.length) > WORDS) return null;
    const same = (i, j) => a[i].trim() === b[j].trim();
    const best = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) {
        best[i][j] = same(i, j) ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
      }
    }
    const made = element("p", "text");
    let [i, j] = [0, 0];
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && same(i, j)) { made.append(b[j]); i += 1; j += 1; }
      else if (j >= b.length || (i < a.length && best[i + 1][j] >= best[i][j + 1])) { made.append(element("del", "", a[i])); i += 1; }
      else { made.append(element("ins", "", b[j])); j += 1; }
    }
    return made;
  };
  const rowCard = (row) => {
    const card = element("article", "sample");
    const name = data.suites.find((s) => s.key === row.suite);
    card.append(chips([name ? name.name : row.suite, row.direction && row.direction.replace("-", " → "),
      row.heldout && `new ${row.heldout}`]));
    card.append(element("p", "text prompt", row.prompt));
    const reference = element("div", "reference");
    reference.append(element("span", "who", "reference"), element("p", "text", row.reference));
    card.append(reference);
    let before = null;
    for (const [key, answer] of answersOf(row)) {
      const line = element("div", "answer");
      const changed = diff.value && before ? changedText(before.text, answer.text) : null;
      line.append(element("span", "who", key), changed || answerText(answer.text, answer.components), markOf(answer));
      before = answer;
      if (answer.components.length) line.append(parts(answer.components, answer.text));
      card.append(line);
    }
    return card;
  };
  const rolloutCard = (row) => {
    const card = element("article", "sample");
    const number = (name, value, digits) => (value === null ? "" : `${name} ${value.toFixed(digits)}`);
    card.append(chips([row.task, number("step", row.step, 0), number("policy", row.version, 0),
      number("reward", row.reward, 2), number("advantage", row.advantage, 2)]));
    card.append(element("p", "text prompt", row.prompt));
    const line = element("div", "answer");
    line.append(element("span", "who", "rollout"), answerText(row.response, row.components), element("span", "mark"));
    if (row.components.length) line.append(parts(row.components, row.response));
    card.append(line);
    return card;
  };

  function restart() { shown = PAGE; draw(); }
  function draw() {
    for (const made of [suite, direction, stage, diff]) made.hidden = rollouts;
    task.hidden = !rollouts;
    tabs.forEach((button, place) => button.setAttribute("aria-pressed", String(rollouts === Boolean(place))));
    const found = rollouts ? data.rollouts.filter(keepsRollout) : data.rows.filter(keepsRow);
    list.replaceChildren(...found.slice(0, shown).map(rollouts ? rolloutCard : rowCard));
    count.textContent = `${found.length} ${rollouts ? "rollouts" : "prompts"}`;
    more.hidden = found.length <= shown;
  }
  more.addEventListener("click", () => { shown += 2 * PAGE; draw(); });
  draw();
})();
