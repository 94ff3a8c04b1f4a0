// Tables that sort, filter, turn pages and can be saved. Cells are texts, never markup.
"use strict";

const ROWS_ON_A_PAGE = 50;
const WIDE_CELL = 40;
const LONG_CELL = 200;
const START_OF_LONG_CELL = 60;
const ESCAPES = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

/** Spell what cannot be seen, or turns the direction of a line; `markup.py` does the same. */
function visible(text) {
  return text.replace(/[\p{C}\p{Z}]/gu, (character) => {
    if (character === " " || character in ESCAPES) return ESCAPES[character] ?? character;
    const code = character.codePointAt(0).toString(16);
    if (code.length <= 2) return "\\x" + code.padStart(2, "0");
    return code.length <= 4 ? "\\u" + code.padStart(4, "0") : "\\U" + code.padStart(8, "0");
  });
}

/** Make an element: `make("button", { type: "button" }, "Save")`. */
function make(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

/** Put a text into parts in which a space, written ␠, is a space that can be seen. */
function withSpaces(text) {
  return text.split("␠").flatMap((part, place) =>
    place ? [make("span", { class: "space" }, " "), part] : [part],
  );
}

/** Write a number with four digits that count; whole numbers stay as they are. */
function shorten(text) {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || /^[-+]?\d+$/.test(text)) return text;
  return Math.abs(value) >= 10000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

function cell(text, numeric) {
  if (numeric) {
    const shown = make("td", { class: "number" }, shorten(text));
    if (shown.textContent !== text) shown.title = text;
    return shown;
  }
  const seen = visible(text);
  if (seen.length <= WIDE_CELL) return make("td", {}, ...withSpaces(seen));
  if (seen.length <= LONG_CELL) return make("td", { class: "wide" }, ...withSpaces(seen));
  const start = make("summary", {}, seen.slice(0, START_OF_LONG_CELL) + "…");
  return make("td", { class: "wide" }, make("details", {}, start, ...withSpaces(seen)));
}

/** Compare two cells; what is no number comes last, whatever the direction. */
function compare(one, other, numeric, direction) {
  if (!numeric) return direction * (one < other ? -1 : one > other ? 1 : 0);
  const first = one === "" ? NaN : number(one);
  const second = other === "" ? NaN : number(other);
  if (Number.isNaN(first) || Number.isNaN(second)) {
    return Number(Number.isNaN(first)) - Number(Number.isNaN(second));
  }
  return direction * (first < second ? -1 : first > second ? 1 : 0);
}

function number(text) {
  return Number(text.replace("inf", "Infinity"));
}

/** Write rows as CSV (RFC 4180). */
function asCsv(columns, rows) {
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows].map((row) => row.map(quoted).join(",") + "\n").join("");
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

class DataTable {
  constructor(table) {
    const data = JSON.parse(document.getElementById(`${table.id}-data`).textContent);
    Object.assign(this, { table, ...data, shown: data.rows, page: 0, sorted: -1, direction: 1 });
    this.body = table.tBodies[0];
    this.named = table.parentElement.getAttribute("aria-label");
    this.findConstants();
    this.addSorting();
    this.addControls();
    this.showColumns(false);
    this.addPages();
    this.show();
  }

  /** Find texts that are the same in all rows: they would only push numbers out of sight. */
  findConstants() {
    const [first, ...others] = this.rows;
    const same = (_, column) =>
      !this.numeric[column] && others.every((row) => row[column] === first[column]);
    this.constant = this.columns.map(others.length ? same : () => false);
    if (this.constant.every((each) => each)) this.constant.fill(false);
  }

  /** Show all columns, or only those that differ between rows, and say what the others are. */
  showColumns(all) {
    this.hides = this.constant.map((each) => each && !all);
    this.heads.forEach((head, column) => (head.hidden = this.hides[column]));
    const said = this.columns.flatMap((name, column) => {
      const value = this.rows.length ? visible(this.rows[0][column]) : "";
      const text = value.length > WIDE_CELL ? value.slice(0, WIDE_CELL) + "…" : value;
      return this.hides[column] && value ? [`${visible(name)} ${text}`] : [];
    });
    this.same.textContent = said.length ? `The same in all rows: ${said.join("; ")}.` : "";
    this.same.hidden = said.length === 0;
    this.whole.setAttribute("aria-pressed", String(all));
  }

  addSorting() {
    this.heads = [...this.table.tHead.rows[0].cells];
    this.heads.forEach((head, column) => {
      const button = make("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => this.sort(column));
      head.append(button);
      head.setAttribute("aria-sort", "none");
    });
  }

  addControls() {
    const filter = { type: "search", placeholder: "Filter", "aria-label": `Filter ${this.named}` };
    this.filter = make("input", filter);
    this.where = make("select", { "aria-label": `Where to look in ${this.named}` });
    this.where.append(make("option", { value: "" }, "in all columns"));
    this.columns.forEach((name, column) => {
      this.where.append(make("option", { value: column }, `in ${visible(name)}`));
    });
    const button = make("button", { type: "button" }, "Save as CSV");
    button.addEventListener("click", () => save(this.name, asCsv(this.columns, this.shown)));
    this.filter.addEventListener("input", () => this.select());
    this.where.addEventListener("change", () => this.select());
    this.whole = make("button", { type: "button" }, "All columns");
    this.whole.hidden = !this.constant.includes(true);
    this.whole.addEventListener("click", () => {
      this.showColumns(this.whole.getAttribute("aria-pressed") === "false");
      this.show();
    });
    this.same = make("p", { class: "note" });
    const parts = [this.filter, this.where, this.whole, button];
    const controls = make("div", { class: "controls" }, ...parts);
    this.table.parentElement.before(controls, this.same);
  }

  addPages() {
    this.before = make("button", { type: "button", "aria-label": "Previous page" }, "‹");
    this.after = make("button", { type: "button", "aria-label": "Next page" }, "›");
    this.before.addEventListener("click", () => this.turn(-1));
    this.after.addEventListener("click", () => this.turn(1));
    this.said = make("output", {});
    this.table.parentElement.after(
      make("div", { class: "pages" }, this.before, this.after, this.said),
    );
  }

  turn(pages) {
    this.page += pages;
    this.show();
  }

  sort(column) {
    this.direction = this.sorted === column ? -this.direction : 1;
    this.sorted = column;
    this.heads.forEach((head, place) => {
      const name = this.direction > 0 ? "ascending" : "descending";
      head.setAttribute("aria-sort", place === column ? name : "none");
    });
    this.select();
  }

  select() {
    const wanted = this.filter.value.toLowerCase();
    const column = this.where.value === "" ? null : Number(this.where.value);
    const has = (text) => text.toLowerCase().includes(wanted);
    const fits = (text) => has(text) || has(visible(text));
    this.shown = this.rows.filter((row) => (column === null ? row.some(fits) : fits(row[column])));
    if (this.sorted >= 0) {
      const numeric = this.numeric[this.sorted];
      this.shown.sort((one, other) =>
        compare(one[this.sorted], other[this.sorted], numeric, this.direction),
      );
    }
    this.page = 0;
    this.show();
  }

  cells(text, column) {
    return this.hides[column] ? [] : [cell(text, this.numeric[column])];
  }

  show() {
    const first = this.page * ROWS_ON_A_PAGE;
    const rows = this.shown.slice(first, first + ROWS_ON_A_PAGE);
    const lines = rows.map((row) =>
      make("tr", {}, ...row.flatMap((text, column) => this.cells(text, column))),
    );
    this.body.replaceChildren(...lines);
    const last = first + rows.length;
    const all = this.shown.length.toLocaleString("en");
    this.said.textContent = rows.length
      ? `rows ${(first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${all}`
      : "no row fits";
    this.before.disabled = first === 0;
    this.after.disabled = last >= this.shown.length;
    this.before.hidden = this.after.hidden = this.shown.length <= ROWS_ON_A_PAGE;
  }
}
