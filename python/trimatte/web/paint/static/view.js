/* Which part of the picture is seen: one view for both sides. And a canvas that shows it. */

export class View extends EventTarget {
  #fitted = true;

  constructor() {
    super();
    [this.width, this.height, this.x, this.y, this.scale] = [1, 1, 0.5, 0.5, 1];
    this.room = [1, 1];
  }

  setPicture(width, height) {
    [this.width, this.height] = [width, height];
    this.fit();
  }

  /* The smaller of the two sides, in CSS pixels. */
  setRoom(width, height) {
    this.room = [width, height];
    if (this.#fitted) this.fit();
    else this.#changed();
  }

  get fitting() {
    return Math.min((this.room[0] - 24) / this.width, (this.room[1] - 24) / this.height, 8);
  }

  fit() {
    this.#fitted = true;
    this.scale = Math.max(this.fitting, 1e-3);
    [this.x, this.y] = [this.width / 2, this.height / 2];
    this.#changed();
  }

  /* Zooms so that the picture's point (x, y) stays where it is. */
  zoom(by, x = this.x, y = this.y) {
    const scale = Math.min(Math.max(this.scale * by, this.fitting * 0.5), 48);
    const ratio = this.scale / scale;
    this.#fitted = false;
    this.scale = scale;
    this.move(x + (this.x - x) * ratio, y + (this.y - y) * ratio);
  }

  pan(dx, dy) {
    this.move(this.x - dx / this.scale, this.y - dy / this.scale);
  }

  move(x, y) {
    this.#fitted = false;
    this.x = Math.min(Math.max(x, 0), this.width);
    this.y = Math.min(Math.max(y, 0), this.height);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export class Pane {
  #wanted = false;

  constructor(canvas, view, draw) {
    [this.canvas, this.view, this.draw] = [canvas, view, draw];
    this.context = canvas.getContext("2d");
    view.addEventListener("change", () => this.refresh());
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  get size() {
    return [this.canvas.clientWidth, this.canvas.clientHeight];
  }

  /* From a pointer's place on the page to the picture. */
  toPicture({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const { x, y, scale } = this.view;
    return [
      x + (clientX - box.left - box.width / 2) / scale,
      y + (clientY - box.top - box.height / 2) / scale,
    ];
  }

  refresh() {
    if (this.#wanted) return;
    this.#wanted = true;
    requestAnimationFrame(() => {
      this.#wanted = false;
      this.#paint();
    });
  }

  #resize() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = this.size;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.#paint();
  }

  #paint() {
    const { context, view } = this;
    const [width, height] = [this.canvas.width, this.canvas.height];
    const ratio = width / Math.max(1, this.canvas.clientWidth);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const scale = view.scale * ratio;
    const [left, top] = [width / 2 - view.x * scale, height / 2 - view.y * scale];
    context.setTransform(scale, 0, 0, scale, left, top);
    context.imageSmoothingEnabled = scale < 3;
    context.imageSmoothingQuality = "medium";
    this.draw(context, scale, ratio);
  }
}

/* A picture with smaller copies, so that a small view of a large picture is quick and smooth. */
export class Mips {
  constructor(source, pictureWidth) {
    this.levels = [source];
    this.whole = pictureWidth;
    this.ready = this.#make();
  }

  async #make() {
    for (let last = this.levels[0]; last.width * last.height > 1.5e6; last = this.levels.at(-1)) {
      const [resizeWidth, resizeHeight] = [Math.ceil(last.width / 2), Math.ceil(last.height / 2)];
      const how = { resizeWidth, resizeHeight, resizeQuality: "medium" };
      this.levels.push(await createImageBitmap(last, how));
    }
  }

  /* The smallest copy that has a pixel for every pixel of the display. */
  at(scale) {
    const wanted = this.whole * scale;
    return this.levels.findLast((level) => level.width >= wanted) ?? this.levels[0];
  }
}
