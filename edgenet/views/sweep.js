"use strict";
// Sorts the table of cells by the column whose head is pressed: up, then down. Cells without a value stay last.
const table = document.getElementById("cells");
const heads = [...table.tHead.rows[0].cells];
const order = new Intl.Collator("en", { numeric: true });

function value(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
  return cell.textContent || null;
}

function compare(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : order.compare(a, b);
}

function sort(column) {
  const sign = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const rows = [...table.tBodies[0].rows].map(row => [value(row, column), row]);
  rows.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compare(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
  heads.forEach((head, index) => {
    head.setAttribute("aria-sort", index !== column ? "none" : sign > 0 ? "ascending" : "descending");
  });
}

heads.forEach((head, index) => head.firstElementChild.addEventListener("click", () => sort(index)));
