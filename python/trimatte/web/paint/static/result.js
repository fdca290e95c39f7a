/* A result of a solve, and how each view shows it. */

import { sheet } from "./marks.js";
import { Mips } from "./view.js";

export class Result {
  constructor(record, pictureWidth) {
    this.record = record;
    this.pictureWidth = pictureWidth;
    this.made = new Map();
  }

  /* The picture of a view; it is made when it is first wanted. */
  view(name) {
    if (!this.made.has(name)) this.made.set(name, this.#make(name));
    return this.made.get(name);
  }

  async #make(name) {
    const { width, height, pixels } = this.record;
    if (name === "alpha") return new Mips(this.#alpha((await this.view("cutout")).levels[0]), this.pictureWidth);
    let data = pixels;
    if (name === "foreground") {
      data = pixels.slice();
      for (let i = 3; i < data.length; i += 4) data[i] = 255;
    }
    return new Mips(await createImageBitmap(new ImageData(data, width, height)), this.pictureWidth);
  }

  #alpha(cutout) {
    const out = sheet(cutout.width, cutout.height);
    const context = out.getContext("2d");
    context.drawImage(cutout, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, out.width, out.height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, out.width, out.height);
    return out;
  }
}

let squares = null;

/* Squares of 12 CSS pixels that stay where they are while the picture moves. */
export function checkerboard(context, width, height, ratio) {
  const style = getComputedStyle(document.documentElement);
  const [a, b] = ["--check-a", "--check-b"].map((name) => style.getPropertyValue(name).trim());
  if (squares?.a !== a || squares?.ratio !== ratio) {
    const side = Math.round(12 * ratio);
    const canvas = sheet(2 * side, 2 * side);
    const tile = canvas.getContext("2d");
    tile.fillStyle = a;
    tile.fillRect(0, 0, 2 * side, 2 * side);
    tile.fillStyle = b;
    tile.fillRect(0, 0, side, side);
    tile.fillRect(side, side, side, side);
    squares = { a, ratio, canvas };
  }
  const pattern = context.createPattern(squares.canvas, "repeat");
  pattern.setTransform(context.getTransform().inverse());
  context.fillStyle = pattern;
  context.fillRect(0, 0, width, height);
}
