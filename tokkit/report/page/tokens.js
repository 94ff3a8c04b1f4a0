// A text as several tokenizers cut it, side by side; one token at a time is explained.

class LiveView {
  constructor(section) {
    this.texts = JSON.parse(document.getElementById("live-data").textContent);
    this.names = Object.keys(this.texts[0].tokenizers);
    this.hidden = new Set();
    this.marked = [];
    this.panels = make("div", { class: "panels" });
    this.note = make("p", { class: "note" });
    this.explained = make("output", { class: "explained", "aria-live": "polite" });
    section.append(this.controls(), this.note, this.panels, this.explained);
    this.show();
  }

  controls() {
    this.choice = make("select", {});
    this.texts.forEach((text, place) => {
      this.choice.append(make("option", { value: place }, visible(text.name)));
    });
    this.choice.addEventListener("change", () => this.show());
    const boxes = this.names.map((name) => {
      const box = make("input", { type: "checkbox", checked: "" });
      box.addEventListener("change", () => {
        if (box.checked) this.hidden.delete(name);
        else this.hidden.add(name);
        this.show();
      });
      return make("label", {}, box, " ", visible(name));
    });
    const legend = make("legend", {}, "Tokenizers");
    return make(
      "div",
      { class: "controls" },
      make("label", {}, "Text ", this.choice),
      make("fieldset", {}, legend, ...boxes),
    );
  }

  show() {
    const text = this.texts[Number(this.choice.value)];
    this.note.textContent = visible(text.note);
    this.note.hidden = text.note === "";
    this.marked = [];
    this.shown = this.names
      .filter((name) => !this.hidden.has(name))
      .map((name) => this.panel(name, text));
    this.panels.replaceChildren(...this.shown.map((panel) => panel.element));
    this.explained.textContent = "Point at a token, or reach it with Tab and the arrow keys.";
  }

  panel(name, text) {
    const tokens = text.tokenizers[name];
    const perToken = tokens.length ? (text.bytes / tokens.length).toFixed(2) : "–";
    const said = `${tokens.length.toLocaleString("en")} tokens, ${perToken} bytes per token`;
    const label = `${visible(name)}: ${said}`;
    const box = make("div", { class: "tokens", role: "listbox", "aria-label": label });
    const spans = tokens.map((token, place) => this.token(token, place));
    for (const [place, span] of spans.entries()) {
      box.append(span);
      if (tokens[place].hex.endsWith("0a")) box.append(make("br"));
    }
    if (spans.length) spans[0].tabIndex = 0;
    const panel = { name, tokens, spans, current: 0 };
    const placeOf = (event) => spans.indexOf(event.target.closest(".token"));
    box.addEventListener("pointerover", (event) => this.explain(panel, placeOf(event)));
    box.addEventListener("focusin", (event) => this.reach(panel, placeOf(event)));
    box.addEventListener("keydown", (event) => this.move(panel, event));
    const head = make("h3", {}, visible(name), " ", make("small", {}, said));
    panel.element = make("div", { class: "panel" }, head, box);
    return panel;
  }

  token(token, place) {
    const kind = token.special ? "token special" : `token shade-${place % 5}`;
    const attributes = { class: kind, role: "option", tabindex: "-1", "aria-selected": "false" };
    return make("span", attributes, ...withSpaces(token.text));
  }

  /** Make a token the one that Tab comes back to. */
  reach(panel, place) {
    if (place < 0) return;
    panel.spans[panel.current].tabIndex = -1;
    panel.current = place;
    panel.spans[place].tabIndex = 0;
    this.explain(panel, place);
  }

  move(panel, event) {
    const last = panel.spans.length - 1;
    const places = {
      ArrowRight: Math.min(panel.current + 1, last),
      ArrowDown: Math.min(panel.current + 1, last),
      ArrowLeft: Math.max(panel.current - 1, 0),
      ArrowUp: Math.max(panel.current - 1, 0),
      Home: 0,
      End: last,
    };
    if (!(event.key in places)) return;
    event.preventDefault();
    panel.spans[places[event.key]].focus();
  }

  /** Say what a token is, and mark what the same bytes are in the other panels. */
  explain(panel, place) {
    if (place < 0) return;
    const token = panel.tokens[place];
    const bytes = token.hex.match(/../g) ?? [];
    const where = token.start === null ? "" : `bytes ${token.start} to ${token.end} of the text`;
    const facts = [
      visible(panel.name),
      `id ${token.id}${token.special ? " (special)" : ""}`,
      `hex ${bytes.join(" ") || "none"}`,
      where,
    ];
    this.explained.replaceChildren(
      make("code", {}, ...withSpaces(token.text)),
      ...facts.filter((fact) => fact).map((fact) => make("span", {}, fact)),
    );
    for (const span of this.marked) {
      span.classList.remove("same");
      span.setAttribute("aria-selected", "false");
    }
    panel.spans[place].setAttribute("aria-selected", "true");
    this.marked = [panel.spans[place], ...this.overlapping(panel, token)];
    for (const span of this.marked) span.classList.add("same");
  }

  overlapping(panel, token) {
    if (token.start === null) return [];
    const others = this.shown.filter((other) => other !== panel);
    return others.flatMap((other) =>
      other.spans.filter((_, place) => {
        const { start, end } = other.tokens[place];
        return start !== null && start < token.end && end > token.start;
      }),
    );
  }
}
