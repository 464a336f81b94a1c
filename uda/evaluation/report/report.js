"use strict";

// Headings sort their table within each group of rows: once, the other way round, and back to the order as written.
for (const table of document.querySelectorAll("table")) makeSortable(table);

function makeSortable(table) {
  const bodies = [...table.tBodies].map((body) => ({ body, rows: [...body.rows] }));
  const said = document.createElement("span");
  said.className = "heard";
  said.setAttribute("aria-live", "polite");
  table.parentElement.before(said);
  const heads = headingOfColumns(table.tHead);
  heads.forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const order = nextOrder(head, isNumeric(bodies, column));
      for (const other of heads) other.removeAttribute("aria-sort");
      if (order) head.setAttribute("aria-sort", order);
      for (const { body, rows } of bodies) body.append(...sorted(rows, column, order));
      said.textContent = `${button.textContent}: ${order || "in the order as written"}`;
    });
  });
}

// The lowest heading of each column that spans no other one.
function headingOfColumns(head) {
  const heads = [];
  const taken = [];
  [...head.rows].forEach((row, level) => {
    let column = 0;
    for (const cell of row.cells) {
      while (taken[level]?.[column]) column += 1;
      for (let down = 0; down < cell.rowSpan; down += 1) {
        taken[level + down] ??= [];
        for (let across = 0; across < cell.colSpan; across += 1) taken[level + down][column + across] = true;
      }
      if (cell.colSpan === 1) heads[column] = cell;
      column += cell.colSpan;
    }
  });
  return heads;
}

function nextOrder(head, numeric) {
  const orders = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
  const now = orders.indexOf(head.getAttribute("aria-sort"));
  return orders[now + 1] ?? null;
}

function valueOf(row, column) {
  const cell = row.cells[column];
  return (cell?.dataset.value ?? cell?.textContent ?? "").trim();
}

function isMissing(value) {
  return value === "" || value === "–";
}

function isNumeric(bodies, column) {
  const values = bodies.flatMap(({ rows }) => rows.filter(isOrdinary).map((row) => valueOf(row, column)));
  return values.filter((value) => !isMissing(value)).every((value) => Number.isFinite(Number(value)));
}

// A row that is a heading of its group stays on top of it.
function isOrdinary(row) {
  return row.cells.length > 1;
}

function sorted(rows, column, order) {
  if (!order) return rows;
  const ordinary = rows.filter(isOrdinary);
  const numeric = ordinary.every((row) => isMissing(valueOf(row, column)) || Number.isFinite(Number(valueOf(row, column))));
  const sign = order === "ascending" ? 1 : -1;
  ordinary.sort((one, other) => {
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
    return sign * (numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true }));
  });
  return [...rows.filter((row) => !isOrdinary(row)), ...ordinary];
}

// A link to a run unfolds it, also in browsers that do not do so themselves.
function unfold() {
  document.getElementById(location.hash.slice(1))?.closest("details")?.setAttribute("open", "");
}
addEventListener("hashchange", unfold);
unfold();
