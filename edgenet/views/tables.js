"use strict";
// Every table with heads sorts by the one that is pressed: up, then down. Cells without a value stay last.
const order = new Intl.Collator("en", { numeric: true });
const NUMBER = /^[<≤]?\s*([+\-−]?\d[\d,]*\.?\d*(?:e[+\-]?\d+)?)(?![\w.])/i;

// What a cell is sorted by: its own key, the number that its text begins with, or else its text; null without any.
function value(row, column) {
  const cell = row.cells[column], text = cell.textContent.trim();
  if (cell.dataset.key !== undefined) return { number: Number(cell.dataset.key), text };
  if (text === "" || text === "–") return null;
  const found = NUMBER.exec(text);
  return { number: found ? Number(found[1].replaceAll(",", "").replace("−", "-")) : NaN, text };
}

function sort(table, heads, column) {
  const sign = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const rows = [...table.tBodies[0].rows].map(row => [value(row, column), row]);
  // As numbers only where all are: "3 of 4" and "none" in one column are words.
  const numbers = rows.every(([found]) => found === null || !Number.isNaN(found.number));
  const compare = (a, b) => numbers ? a.number - b.number : order.compare(a.text, b.text);
  rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compare(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
  heads.forEach((head, index) => {
    head.setAttribute("aria-sort", index !== column ? "none" : sign > 0 ? "ascending" : "descending");
  });
}

// The heads become buttons here, so that a page whose script may not run has none that do nothing.
for (const table of document.querySelectorAll("table.sorts")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    if (head.title) button.title = head.title;
    head.removeAttribute("title");
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, heads, index));
    head.append(button);
    head.setAttribute("aria-sort", "none");
  });
}

// Rows stay that have every word; the field is made here, so that without a script there is none.
function filter(table, words, told) {
  const rows = [...table.tBodies[0].rows];
  for (const row of rows) {
    const text = [...row.cells].map(cell => cell.textContent).join(" ").toLowerCase();
    row.hidden = !words.every(word => text.includes(word));
  }
  const shown = rows.filter(row => !row.hidden).length;
  told.textContent = words.length ? `${shown} of ${rows.length}` : "";
}

for (const table of document.querySelectorAll("table.filters")) {
  const line = document.createElement("p"), label = document.createElement("label");
  const field = document.createElement("input"), told = document.createElement("output");
  line.className = "filter";
  label.append("Show those with ", field);
  field.type = "search";
  field.placeholder = "a name, a tag, outlier, …";
  field.addEventListener("input", () => filter(table, field.value.toLowerCase().split(/\s+/).filter(Boolean), told));
  line.append(label, told);
  (table.closest(".scroll") ?? table).before(line);
}

// A link to something folded opens it.
function unfold() {
  const found = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (found instanceof HTMLDetailsElement) found.open = true;
}

addEventListener("hashchange", unfold);
unfold();
