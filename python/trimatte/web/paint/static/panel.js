/* The small panel: where painting starts, and how alpha is found, in plain words. */

const METHODS = {
  "closed-form": ["Standard", "Quick and exact. Right for most pictures."],
  best: ["Finest", "Learns the picture's colours first. A second more for each answer. Leaves strokes to Standard."],
  auto: ["Automatic", "Finest for trimaps and masks, Standard for strokes."],
  knn: ["Look-alikes", "Joins pixels of like colour, also far apart: holes, lace, foliage."],
  "learning-based": ["Local learning", "Like Standard, with a little less noise in wide unknown parts."],
  "information-flow": ["Information flow", "Joins colours from far and near. Slow, good with few strokes."],
  "large-kernel": ["Wide windows", "Looks farther around each pixel. Smoother, slower."],
  "random-walk": ["Random walk", "Very simple and quick. Follows strong edges."],
};
const COLOURS = {
  "multi-level": "Quick and smooth",
  "closed-form": "Careful, slower",
  "blur-fusion": "Soft",
};
const OTHERS = "Guesses from known colours alone";

const $ = (id) => document.getElementById(id);

export class Panel {
  /* `ask` has start(what), guide(), changed() and pick(take | null). */
  constructor(ask) {
    this.ask = ask;
    this.methods = {};
    $("method").addEventListener("change", () => this.#method());
    $("smooth").addEventListener("input", () => this.#smoothness());
    $("smooth").addEventListener("change", () => ask.changed());
    $("colours").addEventListener("change", () => ask.changed());
    for (const input of document.getElementsByName("start")) input.addEventListener("change", () => this.#start(input.value));
    $("guide").addEventListener("click", () => ask.guide());
    $("band").addEventListener("input", () => ($("band-value").value = `${$("band").value} px`));
    $("band").addEventListener("change", () => ask.start({ kind: "mask", band: Number($("band").value) }));
    $("key").addEventListener("change", () => this.#key($("key").value));
    $("key-auto").addEventListener("click", () => this.#key("auto"));
    $("see-through").addEventListener("change", () => this.#key(this.key));
    $("pipette").addEventListener("click", () => this.#pipette());
    this.key = "auto";
  }

  offer({ methods, colours }) {
    this.methods = methods;
    const named = Object.keys(METHODS).filter((name) => name in methods);
    const rest = Object.keys(methods).filter((name) => !(name in METHODS));
    const select = $("method");
    select.replaceChildren(...named.map((name) => new Option(METHODS[name][0], name)));
    if (rest.length) {
      const group = document.createElement("optgroup");
      group.label = OTHERS;
      group.append(...rest.map((name) => new Option(words(name), name)));
      select.append(group);
    }
    $("colours").replaceChildren(...colours.map((name) => new Option(COLOURS[name] ?? words(name), name)));
    this.#method(true);
    this.#smoothness();
  }

  get wish() {
    const method = $("method").value;
    const options = {};
    if ("epsilon" in (this.methods[method] ?? {})) options.epsilon = 10 ** Number($("smooth").value);
    return { method, options, colours: $("colours").value };
  }

  /* Shows where painting starts. */
  show({ kind, band, key, solid }, guide, longest) {
    const value = { mask: "guide", trimap: "guide" }[kind] ?? kind;
    for (const input of document.getElementsByName("start")) input.checked = input.value === value;
    for (const part of document.querySelectorAll("[data-start]")) part.hidden = part.dataset.start !== value;
    this.guide = guide;
    $("band-field").hidden = kind !== "mask";
    $("band").max = Math.max(20, Math.round(longest * 0.06));
    $("band").value = band ?? Math.max(4, Math.round(longest * 0.01));
    $("band-value").value = band ? `${Math.round(band)} px` : "automatic";
    $("guide").textContent = guide ? "Choose another file" : "Choose a mask or a trimap";
    $("guide-note").textContent = guide === "trimap"
      ? "Strokes are added to the trimap."
      : "A rough mask from any program will do. Strokes mend it.";
    if (kind === "key") {
      this.key = key;
      if (key !== "auto") $("key").value = key;
      $("see-through").checked = !solid;
    }
  }

  #method(quiet = false) {
    const method = $("method").value;
    $("method-note").textContent = METHODS[method]?.[1] ?? `${OTHERS}, without a solve.`;
    $("smooth-field").hidden = !("epsilon" in (this.methods[method] ?? {}));
    if (!quiet) this.ask.changed();
  }

  #smoothness() {
    const value = Number($("smooth").value);
    $("smooth-value").value = value === -7 ? "standard" : value < -7 ? "crisper" : `${((value + 7) * 2).toFixed(0)} up`;
  }

  #start(value) {
    for (const part of document.querySelectorAll("[data-start]")) part.hidden = part.dataset.start !== value;
    if (value === "nothing") this.ask.start({ kind: "nothing" });
    else if (value === "key") this.#key(this.key);
    else if (this.guide) this.ask.start({ kind: this.guide });
    else this.ask.guide();
  }

  #key(key) {
    this.key = key;
    this.ask.start({ kind: "key", key, solid: !$("see-through").checked });
  }

  #pipette() {
    const wanted = $("pipette").getAttribute("aria-pressed") !== "true";
    $("pipette").setAttribute("aria-pressed", wanted);
    this.ask.pick(wanted ? (colour) => {
      $("pipette").setAttribute("aria-pressed", false);
      $("key").value = colour;
      this.#key(colour);
    } : null);
  }
}

function words(name) {
  return name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");
}
