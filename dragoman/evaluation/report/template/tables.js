// Tables of the report: folding of suites, finding of rows, and heat maps of one stage from language to language.
// Without this script everything is unfolded and the tools stay hidden.
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  for (const tool of all("[data-js]")) tool.hidden = false;

  // A group is a suite: a body of the metrics table, or a block of heat maps.
  const fold = (group, folded) => {
    const button = group.querySelector(".fold");
    if (!button) return;
    group.classList.toggle("folded", folded);
    button.setAttribute("aria-expanded", String(!folded));
  };
  for (const table of all("table.metrics")) {
    const bodies = all("tbody[data-group]", table);
    const button = table.closest("section").querySelector("[data-fold-all]");
    const tell = () => {
      button.textContent = bodies.some((body) => !body.classList.contains("folded") && body.querySelector(".fold"))
        ? "fold all" : "unfold all";
    };
    for (const body of bodies) {
      fold(body, "folded" in table.dataset);
      body.querySelector(".fold")?.addEventListener("click", () => {
        fold(body, !body.classList.contains("folded"));
        tell();
      });
    }
    button.hidden = !table.querySelector(".fold");
    button.addEventListener("click", () => {
      const folded = button.textContent === "fold all";
      bodies.forEach((body) => fold(body, folded));
      tell();
    });
    tell();
  }

  // Finding: a row stays when it, or its suite's name, has every word. Suites without a row go.
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const opened = new Map(all("details[data-group]").map((group) => [group, group.open]));
  const search = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const group of all("[data-group]")) {
      let kept = 0;
      for (const row of all("tr[data-find]", group)) {
        const text = `${group.dataset.group} ${row.dataset.find}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) kept += 1;
      }
      group.hidden = words.length > 0 && kept === 0;
      group.classList.toggle("searched", words.length > 0);
      if (opened.has(group)) group.open = words.length ? kept > 0 : opened.get(group);
      count += kept;
    }
    found.textContent = words.length ? `${count} rows` : "";
    matrices();
  };
  find.addEventListener("input", search);

  // Heat maps: one metric or all; every stage, or one stage with sources across and targets down.
  const metric = document.getElementById("direction-metric");
  const stage = document.getElementById("direction-stage");
  const cellOf = (tag, text, scope) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  };
  const matrixOf = (table, column) => {
    const rows = all("tbody tr", table).filter((row) => !row.hidden);
    const [sources, targets] = ["source", "target"].map((end) => [...new Set(rows.map((row) => row.dataset[end]))].sort());
    const across = sources.length <= targets.length;
    const [columns, lines] = across ? [sources, targets] : [targets, sources];
    const cells = new Map(rows.map((row) => [`${row.dataset.source} ${row.dataset.target}`, row.cells[column + 1]]));
    const made = document.createElement("table");
    made.className = table.className;
    const head = made.createTHead().insertRow();
    head.append(cellOf("th", across ? "into ↓ from →" : "from ↓ into →", "col"), ...columns.map((name) => cellOf("th", name, "col")));
    const body = made.createTBody();
    for (const line of lines) {
      const row = body.insertRow();
      row.append(cellOf("th", line, "row"));
      for (const name of columns) {
        const cell = cells.get(across ? `${name} ${line}` : `${line} ${name}`);
        row.append(cell ? cell.cloneNode(true) : cellOf("td", ""));
      }
    }
    return made;
  };
  const matrices = () => {
    if (!metric) return;
    for (const block of all("[data-metric]")) {
      block.hidden = metric.value !== "" && block.dataset.metric !== metric.value;
      const [table, old] = [block.querySelector("table:not([data-matrix])"), block.querySelector("[data-matrix]")];
      old?.remove();
      table.hidden = stage.value !== "" && !block.hidden;
      if (!table.hidden) continue;
      const made = matrixOf(table, Number(stage.value));
      made.dataset.matrix = "";
      table.after(made);
    }
  };
  metric?.addEventListener("change", matrices);
  stage?.addEventListener("change", matrices);
})();
