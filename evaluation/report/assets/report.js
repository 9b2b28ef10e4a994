"use strict";
// Tables are complete without this: it only sorts, filters and draws.

function sortBy(table, column, ascending) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const fixed = rows.filter((row) => row.classList.contains("reference") || row.classList.contains("missing"));
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    const [p, q] = [parseFloat(x), parseFloat(y)];
    if (Number.isNaN(p) && Number.isNaN(q)) return (ascending ? 1 : -1) * x.localeCompare(y);
    if (Number.isNaN(p) || Number.isNaN(q)) return Number.isNaN(p) ? 1 : -1; // what lacks a value comes last
    return (ascending ? 1 : -1) * (p - q);
  };
  body.append(...rows.filter((row) => !fixed.includes(row)).sort(compare), ...fixed);
}

function makeSortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    if (heading.dataset.sort === undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const ascending = before ? before === "descending" : heading.dataset.sort === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortBy(table, column, ascending);
    });
  });
}

function filter(form) {
  const chosen = Object.fromEntries(new FormData(form));
  const wanted = (chosen.explainer ?? "").toLowerCase();
  let shown = 0;
  for (const part of document.querySelectorAll("[data-filter]")) {
    const keys = Object.keys(chosen).filter((key) => key !== "explainer");
    part.hidden = keys.some((key) => chosen[key] !== "" && part.dataset[key] !== chosen[key]);
    for (const row of part.querySelectorAll("tbody tr")) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
      if (!part.hidden && !row.hidden) shown += 1;
    }
  }
  form.querySelector("output").textContent = `${shown} rows`;
  const nothing = document.getElementById("nothing");
  if (nothing) nothing.hidden = document.querySelector("[data-filter]:not([hidden])") !== null;
}

function draw(chart) {
  const { data, layout } = JSON.parse(document.getElementById(chart.dataset.figure).textContent);
  const style = getComputedStyle(document.documentElement);
  const [text, line] = ["--text", "--line"].map((name) => style.getPropertyValue(name).trim());
  const axis = { gridcolor: line, zerolinecolor: text };
  Plotly.react(chart, data, {
    ...layout,
    xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis },
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: text },
  }, { responsive: true, displayModeBar: false });
}

document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
document.querySelectorAll("form.filters").forEach((form) => {
  form.hidden = false;
  form.addEventListener("input", () => filter(form));
  form.addEventListener("submit", (event) => event.preventDefault());
  filter(form);
});
document.querySelectorAll("[data-figure]").forEach((chart) => {
  draw(chart);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(chart));
});
