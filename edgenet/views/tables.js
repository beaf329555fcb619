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
