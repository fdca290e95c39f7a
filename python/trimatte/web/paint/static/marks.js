/* The strokes of a picture, with undo and redo without end, and how they are drawn over it. */

const COLOURS = { foreground: "#12b5a6", background: "#e0445e", unknown: "#f0b429" };
const MOST_PIXELS = 5e6;

export class Marks {
  constructor() {
    this.strokes = [];
    this.undone = [];
  }

  reset(strokes = []) {
    this.strokes = strokes;
    this.undone = [];
  }

  add(stroke) {
    this.strokes.push(stroke);
    this.undone = [];
  }

  undo() {
    if (this.strokes.length) this.undone.push(this.strokes.pop());
  }

  redo() {
    if (this.undone.length) this.strokes.push(this.undone.pop());
  }
}

/* A picture of the labels: the start's, and the strokes over it. `canvas` is what is to be shown. */
export class Overlay {
  constructor(width, height) {
    this.scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
    this.canvas = sheet(width * this.scale, height * this.scale);
    this.strokes = sheet(this.canvas.width, this.canvas.height);
    this.base = null;
  }

  /* `trimap` is an ImageBitmap in grey, or null if nothing is known at the start. */
  setBase(trimap) {
    this.base = null;
    if (!trimap) return;
    this.base = sheet(this.canvas.width, this.canvas.height);
    const context = this.base.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    context.drawImage(trimap, 0, 0, this.base.width, this.base.height);
    const data = context.getImageData(0, 0, this.base.width, this.base.height);
    const pixels = new Uint32Array(data.data.buffer);
    const [keep, remove] = [packed(COLOURS.foreground), packed(COLOURS.background)];
    for (let i = 0; i < pixels.length; i++) {
      const grey = pixels[i] & 255;
      pixels[i] = grey > 200 ? keep : grey < 50 ? remove : 0;
    }
    context.putImageData(data, 0, 0);
  }

  redraw(strokes) {
    this.strokes.getContext("2d").clearRect(0, 0, this.strokes.width, this.strokes.height);
    for (const stroke of strokes) this.#trace(stroke, 0);
    this.#mix(0, 0, this.canvas.width, this.canvas.height);
  }

  /* Draws the part of a stroke from a point on. */
  extend(stroke, from) {
    this.#trace(stroke, from);
    const part = stroke.points.slice(Math.max(0, from - 1));
    const margin = stroke.size * this.scale + 2;
    const xs = part.map((point) => point[0] * this.scale);
    const ys = part.map((point) => point[1] * this.scale);
    const left = Math.max(0, Math.floor(Math.min(...xs) - margin));
    const top = Math.max(0, Math.floor(Math.min(...ys) - margin));
    const right = Math.min(this.canvas.width, Math.ceil(Math.max(...xs) + margin));
    const bottom = Math.min(this.canvas.height, Math.ceil(Math.max(...ys) + margin));
    if (right > left && bottom > top) this.#mix(left, top, right - left, bottom - top);
  }

  #trace({ brush, size, points }, from) {
    const context = this.strokes.getContext("2d");
    const first = points[Math.max(0, from - 1)];
    context.globalCompositeOperation = brush === "eraser" ? "destination-out" : "source-over";
    context.strokeStyle = COLOURS[brush] ?? "#000";
    context.lineWidth = Math.max(1, size * this.scale);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(first[0] * this.scale, first[1] * this.scale);
    context.lineTo(first[0] * this.scale, first[1] * this.scale + 0.001);
    for (const [x, y] of points.slice(from)) context.lineTo(x * this.scale, y * this.scale);
    context.stroke();
  }

  #mix(x, y, width, height) {
    const context = this.canvas.getContext("2d");
    context.clearRect(x, y, width, height);
    if (this.base) {
      context.drawImage(this.base, x, y, width, height, x, y, width, height);
      context.globalCompositeOperation = "destination-out";
      context.drawImage(this.strokes, x, y, width, height, x, y, width, height);
      context.globalCompositeOperation = "source-over";
    }
    context.drawImage(this.strokes, x, y, width, height, x, y, width, height);
  }
}

export function sheet(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas;
}

/* The start is paler than strokes, so that both can be told apart. */
function packed(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((150 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
