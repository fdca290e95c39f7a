/* Joins the parts: picture, strokes, solves, views, files, keys. */

import { Cancelled, KeyWanted, ServerEngine } from "./engine.js";
import { Marks, Overlay, sheet } from "./marks.js";
import { Panel } from "./panel.js";
import { Brush, listen } from "./pointer.js";
import { Result, checkerboard } from "./result.js";
import { Mips, Pane, View } from "./view.js";

// Milliseconds after a quick answer; a finer solve begins then if no stroke has followed.
const REST = 700;
// As long as there are fewer strokes, the page says what to do next.
const FIRST = 3;
const $ = (id) => document.getElementById(id);
const given = new URLSearchParams(location.hash.slice(1)).get("key");

const engine = new ServerEngine(given ?? sessionStorage.getItem("key") ?? "");
const view = new View();
const marks = new Marks();
let picture = null; // Mips
let overlay = null;
let result = null;
let shown = null; // {name, mips}: what the right side shows
let missing = [];
let bare = false; // whether strokes are hidden

/* ---- The two sides ------------------------------------------------------------------------- */

const left = new Pane($("left"), view, (context, scale) => {
  if (!picture) return;
  context.drawImage(picture.at(scale), 0, 0, view.width, view.height);
  context.globalAlpha = bare ? 0 : 0.5;
  context.drawImage(overlay.canvas, 0, 0, view.width, view.height);
  context.globalAlpha = 1;
});

const right = new Pane($("right"), view, (context, scale, ratio) => {
  if (!picture || !shown) return;
  if (shown.name === "cutout") checkerboard(context, view.width, view.height, ratio);
  if (shown.name === "colour") {
    context.fillStyle = $("backdrop").value;
    context.fillRect(0, 0, view.width, view.height);
  }
  context.drawImage(shown.mips.at(scale), 0, 0, view.width, view.height);
});

/* The brush's outline on both sides: it is no part of the canvases, so that they are not drawn anew. */
function ring() {
  const { place, size } = brush;
  for (const pane of [left, right]) {
    const outline = pane.canvas.nextElementSibling;
    outline.style.visibility = place && picture && !brush.sampling ? "visible" : "hidden";
    if (!place) continue;
    const [x, y] = pane.toPane(place);
    outline.style.width = outline.style.height = `${Math.max(size, 3)}px`;
    outline.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }
}
view.addEventListener("change", ring);

function refresh() {
  left.refresh();
  right.refresh();
}

const sides = new ResizeObserver(() => {
  const [a, b] = [left.size, right.size];
  view.setRoom(Math.min(a[0], b[0]), Math.min(a[1], b[1]));
});
sides.observe($("left"));
sides.observe($("right"));

view.addEventListener("change", () => {
  const percent = view.scale * (window.devicePixelRatio || 1) * 100;
  $("zoom-value").textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
});

/* ---- Strokes and solves -------------------------------------------------------------------- */

const brush = new Brush({
  view,
  getOverlay: () => overlay,
  refresh: () => left.refresh(),
  ring,
  onBegin: () => {
    clearTimeout(resting);
    if (solving === "fine") engine.cancel().catch(() => {});
  },
  onStroke: (stroke) => {
    if (stroke) {
      marks.add(stroke);
      changed();
    } else {
      overlay?.redraw(marks.strokes);
      refresh();
    }
  },
});
brush.onResize = (size) => ($("size").value = Math.round((Math.log(size / 2) / Math.log(200)) * 100));
brush.onResize(brush.size);
$("size").addEventListener("input", () => {
  brush.size = 2 * 200 ** ($("size").value / 100);
  ring();
});

let generation = 0; // of strokes, start and wish; results of older ones are not shown
let sent = []; // the strokes that the engine has
let link = Promise.resolve(); // changes go to the engine one after another
let resting = 0;
let solving = null;

function newer() {
  clearTimeout(resting);
  document.body.dataset.rests = false; // this and "shown" are for those who measure and test
  return ++generation;
}

/* The strokes have changed: tell the engine, then solve. */
function changed() {
  buttons();
  const mine = newer();
  link = link.then(async () => {
    if (mine !== generation) return; // a later change tells all of it
    const now = [...marks.strokes];
    let keep = 0;
    while (keep < sent.length && sent[keep] === now[keep]) keep++;
    const known = await engine.strokes(keep, now.slice(keep));
    sent = now;
    after(known);
  }).then(() => mine === generation && solve("quick", mine)).catch(report);
}

/* Another wish, or another start: solve with the strokes as they are. */
function solveAgain() {
  const mine = newer();
  link = link.then(() => mine === generation && solve("quick", mine)).catch(report);
}

function after(known) {
  missing = known.missing;
  const next = missing[0] === "foreground"
    ? "draw Keep over what should stay"
    : "draw Remove over what should go";
  $("hint").textContent = missing.length === 2 ? `First ${next}.` : missing.length ? `Now ${next}.` : "";
  $("nothing-yet").textContent = missing.length
    ? "The result appears here after one stroke of each kind."
    : "The result is being found …";
  if (missing.length) {
    result = null;
    buttons();
    show();
  } else if (currentView() === "trimap") show();
}

/* The link does not wait for the end of a solve, so that newer strokes stop it. */
function solve(size, mine) {
  if (missing.length || mine !== generation) return;
  solving = size;
  status(size === "quick" ? "" : "Refining …");
  engine.solve(panel.wish, size, (phase, done) => mine === generation && progress(done)).then(async (record) => {
    if (mine !== generation) return;
    await accept(new Result(record, view.width), mine);
    if (record.finer) resting = setTimeout(() => solve("fine", mine), REST);
  }).catch((error) => mine === generation && report(error)).finally(() => {
    if (mine === generation) {
      solving = null;
      progress(null);
    }
  });
}

async function accept(found, mine) {
  await found.view("cutout");
  if (mine !== generation) return;
  result = found;
  await show();
  const { factor, unknown, seconds, one_sided: alone } = found.record;
  const size = factor === 1 ? "full size" : `1/${factor} size`;
  const count = unknown >= 1e6 ? `${(unknown / 1e6).toFixed(1)} million` : unknown.toLocaleString("en");
  const note = alone ? ` · ${alone} unknown ${alone === 1 ? "part touches" : "parts touch"} one kind of stroke only` : "";
  status(`${size} · ${count} pixels found in ${seconds.toFixed(2)} s${note}`);
  if (marks.strokes.length < FIRST) $("hint").textContent = "Where the result is wrong, draw over it here.";
  buttons();
  document.body.dataset.shown = mine;
  document.body.dataset.rests = !found.record.finer;
}

function progress(done) {
  $("progress").hidden = done === null;
  if (done !== null) $("progress").firstElementChild.style.transform = `scaleX(${done})`;
}

function status(text) {
  $("status").textContent = text;
}

let toasting = 0;
function report(error) {
  if (error instanceof Cancelled) return;
  progress(null);
  status("");
  $("toast").textContent = error.message.replace(/^\w/, (letter) => letter.toUpperCase());
  $("toast").hidden = false;
  clearTimeout(toasting);
  toasting = setTimeout(() => ($("toast").hidden = true), 9000);
}
$("toast").addEventListener("click", () => ($("toast").hidden = true));

/* ---- Views --------------------------------------------------------------------------------- */

function currentView() {
  return document.querySelector("[name=view]:checked").value;
}

let showing = 0;
async function show() {
  const mine = ++showing;
  const name = currentView();
  let mips = null;
  if (name === "picture") mips = picture;
  else if (name === "trimap" && engine.id) {
    mips = new Mips(await createImageBitmap(await engine.trimap("painted")), view.width);
  } else mips = result && (await result.view(name === "colour" ? "cutout" : name));
  if (mine !== showing) return;
  shown = mips && { name, mips };
  $("nothing-yet").hidden = shown !== null;
  $("backdrop-label").hidden = name !== "colour";
  document.body.dataset.view = name;
  right.refresh();
}
for (const input of document.getElementsByName("view")) input.addEventListener("change", () => show().catch(report));
$("backdrop").addEventListener("input", () => right.refresh());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => right.refresh());

/* ---- Pictures and guides ------------------------------------------------------------------- */

async function take(state) {
  newer();
  sessionStorage.setItem("painting", state.id);
  const bitmap = await createImageBitmap(await engine.picture());
  [result, shown] = [null, null];
  picture = new Mips(bitmap, state.width);
  overlay = new Overlay(state.width, state.height);
  picture.ready.then(refresh);
  marks.reset(state.strokes);
  sent = [...state.strokes];
  brush.last = null;
  document.body.classList.add("has-picture");
  $("welcome").hidden = true;
  $("work").hidden = false;
  $("name").textContent = state.name;
  document.title = `${state.name} – trimatte`;
  status("");
  view.setPicture(state.width, state.height);
  await begun(state);
}

/* Another start lies under the strokes. */
async function begun(state) {
  panel.show(state.start, state.guide ?? panel.guide, Math.max(view.width, view.height));
  const base = state.start.kind === "nothing" ? null : await createImageBitmap(await engine.trimap("base"));
  overlay.setBase(base);
  overlay.redraw(marks.strokes);
  refresh();
  after(state);
  buttons();
  solveAgain();
}

async function load(files) {
  const pictures = [...files];
  const guides = /mask|trimap|alpha|matte/i;
  let first = pictures.findIndex((file) => !guides.test(file.name));
  if (first < 0) first = picture ? -1 : 0;
  if (pictures.length === 1 && first < 0) return useGuide(pictures[0]);
  busy("Opening …");
  const [image] = pictures.splice(Math.max(first, 0), 1);
  await take(await engine.load(image));
  if (pictures.length) await useGuide(pictures[0]);
}

async function useGuide(file) {
  busy("Reading the mask …");
  const state = await inTurn(() => engine.guide(file));
  status("");
  openPanel(true);
  await begun(state);
}

function busy(text) {
  status(text);
  if (!picture) $("choose").textContent = text;
}

/* Changes of the start wait for strokes that are on their way. */
function inTurn(task) {
  const done = link.then(task);
  link = done.catch(() => {});
  return done;
}

const panel = new Panel({
  start: (what) => {
    newer();
    inTurn(() => engine.start(what)).then(begun).catch(report);
  },
  guide: () => $("guide-file").click(),
  changed: solveAgain,
  pick: (takeColour) => {
    $("left").classList.toggle("picking", takeColour !== null);
    brush.sampling = takeColour && ((point) => {
      brush.sampling = null;
      $("left").classList.remove("picking");
      takeColour(colourAt(point));
    });
    ring();
  },
});

/* The mean colour around a point. */
function colourAt([x, y]) {
  const source = picture.levels[0];
  const canvas = sheet(1, 1);
  const context = canvas.getContext("2d");
  const reach = Math.max(2, Math.round(3 / view.scale));
  const [cx, cy] = [(x / view.width) * source.width, (y / view.height) * source.height];
  context.imageSmoothingQuality = "high";
  context.drawImage(source, cx - reach, cy - reach, 2 * reach, 2 * reach, 0, 0, 1, 1);
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
  return `#${[r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function pickFile() {
  $("file").click();
}
$("choose").addEventListener("click", pickFile);
$("open").addEventListener("click", pickFile);
for (const [id, use] of [["file", load], ["guide-file", (files) => useGuide(files[0])]]) {
  $(id).addEventListener("change", async () => {
    const files = [...$(id).files];
    $(id).value = "";
    if (files.length) await use(files).catch(report);
    $("choose").textContent = "Choose a picture";
  });
}

let over = 0;
addEventListener("dragenter", (event) => {
  event.preventDefault();
  over++;
  $("dropping").hidden = false;
});
addEventListener("dragleave", () => {
  if (--over <= 0) $("dropping").hidden = true;
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  over = 0;
  $("dropping").hidden = true;
  if (event.dataTransfer.files.length) await load(event.dataTransfer.files).catch(report);
  $("choose").textContent = "Choose a picture";
});

/* ---- Buttons, saving, keys ----------------------------------------------------------------- */

function buttons() {
  $("undo").disabled = !marks.strokes.length;
  $("redo").disabled = !marks.undone.length;
  $("save").disabled = !picture || (missing.length > 0 && !marks.strokes.length);
  for (const button of document.querySelectorAll("[data-save]")) {
    button.disabled = button.dataset.save !== "trimap" && missing.length > 0;
  }
}

function step(how) {
  if (brush.stroke) return;
  marks[how]();
  overlay?.redraw(marks.strokes);
  refresh();
  changed();
}
$("undo").addEventListener("click", () => step("undo"));
$("redo").addEventListener("click", () => step("redo"));
$("zoom-in").addEventListener("click", () => view.zoom(1.4));
$("zoom-out").addEventListener("click", () => view.zoom(1 / 1.4));
$("zoom-fit").addEventListener("click", () => view.fit());
$("zoom-100").addEventListener("click", () => view.zoom(1 / (window.devicePixelRatio || 1) / view.scale));

function openPanel(open) {
  $("panel").hidden = !open;
  $("work").classList.toggle("with-panel", open);
  $("options").setAttribute("aria-expanded", open);
}
$("options").addEventListener("click", () => openPanel($("panel").hidden));
$("options-close").addEventListener("click", () => {
  openPanel(false);
  $("options").focus();
});

for (const button of document.querySelectorAll("[data-save]")) {
  button.addEventListener("click", async () => {
    $("save-menu").hidePopover();
    clearTimeout(resting);
    const what = button.dataset.save;
    status(`Saving the ${what} at full size …`);
    try {
      await link;
      const file = await engine.save(what, panel.wish, (phase, done) => progress(done));
      const anchor = document.createElement("a");
      anchor.href = URL.createObjectURL(file.blob);
      anchor.download = file.name;
      setTimeout(() => anchor.click()); // in a task of its own, after the one that ended the answer
      setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
      status(`${file.name} is saved`);
    } catch (error) {
      if (error instanceof Cancelled) status("Saving was stopped by a newer stroke");
      report(error);
    }
    progress(null);
  });
}

for (const input of document.getElementsByName("brush")) input.addEventListener("change", () => (brush.kind = input.value));

function choose(name, at) {
  const input = document.getElementsByName(name)[at];
  input.checked = true;
  input.dispatchEvent(new Event("change"));
}

const KEYS = {
  1: () => choose("brush", 0),
  2: () => choose("brush", 1),
  3: () => choose("brush", 2),
  4: () => choose("brush", 3),
  "[": () => brush.resize(1 / 1.2),
  "]": () => brush.resize(1.2),
  "+": () => view.zoom(1.25),
  "=": () => view.zoom(1.25),
  "-": () => view.zoom(0.8),
  0: () => view.fit(),
  h: () => {
    bare = !bare;
    refresh();
  },
  o: () => openPanel($("panel").hidden),
  v: () => {
    const inputs = [...document.getElementsByName("view")];
    choose("view", (inputs.findIndex((input) => input.checked) + 1) % inputs.length);
  },
};

addEventListener("keydown", (event) => {
  if (!picture || event.altKey) return;
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  if (command && (key === "z" || key === "y")) {
    event.preventDefault();
    step(key === "y" || event.shiftKey ? "redo" : "undo");
  } else if (!command && !["SELECT", "TEXTAREA"].includes(event.target.tagName) && KEYS[key]) {
    event.preventDefault();
    KEYS[key]();
  }
});

/* The outline of a canvas is for those who use keys. */
addEventListener("keydown", (event) => {
  if (["Tab", "Enter"].includes(event.key) || event.key.startsWith("Arrow")) document.body.classList.add("by-keys");
});
addEventListener("pointerdown", () => document.body.classList.remove("by-keys"), { capture: true });

listen(left, view, brush);
listen(right, view);

/* The key is in the address that `trimatte paint` prints; a service's visitors type it. */
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  engine.key = $("service-key").value;
  sessionStorage.setItem("key", engine.key);
  begin().catch(report);
});

function askForKey(asks) {
  $("key-form").hidden = !asks;
  $("choose").hidden = $("welcome-note").hidden = asks;
  $("welcome-title").textContent = asks ? "This page asks for a key" : "Drop a picture here";
  if (asks) $("service-key").focus();
}

async function begin() {
  const offered = await engine.begin().catch((error) => {
    askForKey(error instanceof KeyWanted);
    throw error instanceof KeyWanted && !engine.key ? new Cancelled() : error;
  });
  askForKey(false);
  panel.offer(offered);
  const kept = sessionStorage.getItem("painting");
  for (const id of [kept, offered.first]) {
    if (!id) continue;
    const state = await engine.open(id).catch(() => null);
    if (state) return take(state);
  }
}
begin().catch(report);
