/* From pointer, wheel and keys on a canvas to strokes, panning and zooming. */

const STEP = 1 / 12; // of the brush's size: nearer points are left out

/* `pane` may be painted on if `brush` is given: {begin(point, straight), extend(points), end(),
   drop(), hover(point | null), resize(by), step(dx, dy, far), toggle()}. */
export function listen(pane, view, brush = null) {
  const { canvas } = pane;
  const fingers = new Map();
  let painting = null; // the pointer that paints
  let panning = null;
  let pinch = null;
  let space = false;

  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") fingers.set(event.pointerId, event);
    if (fingers.size === 2) {
      if (painting !== null) brush.drop();
      [painting, panning, pinch] = [null, null, span(fingers)];
      return;
    }
    if (painting !== null || panning !== null || fingers.size > 2) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    if (brush && event.button === 0 && !space) {
      painting = event.pointerId;
      brush.begin(pane.toPicture(event), event.shiftKey);
    } else if (event.button <= 1) {
      panning = event;
      event.preventDefault();
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event);
    if (pinch && fingers.size === 2) {
      const now = span(fingers);
      view.pan(now.clientX - pinch.clientX, now.clientY - pinch.clientY);
      view.zoom(now.length / pinch.length, ...pane.toPicture(now));
      pinch = now;
    } else if (painting === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      brush.extend((events.length ? events : [event]).map((one) => pane.toPicture(one)));
    } else if (panning?.pointerId === event.pointerId) {
      view.pan(event.clientX - panning.clientX, event.clientY - panning.clientY);
      panning = event;
    }
    brush?.hover(event.pointerType === "touch" && painting === null ? null : pane.toPicture(event));
  });

  const lift = (event) => {
    fingers.delete(event.pointerId);
    if (fingers.size < 2) pinch = null;
    if (painting === event.pointerId) {
      painting = null;
      if (event.type === "pointerup") brush.end();
      else brush.drop();
    }
    if (panning?.pointerId === event.pointerId) panning = null;
    if (event.pointerType === "touch") brush?.hover(null);
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => painting === null && brush?.hover(null));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const by = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016));
    if (brush && !event.ctrlKey && !event.metaKey) brush.resize(by);
    else view.zoom(event.ctrlKey && !event.deltaMode && Math.abs(event.deltaY) < 40 ? by ** 5 : by,
      ...pane.toPicture(event));
  }, { passive: false });

  canvas.addEventListener("keydown", (event) => {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") {
      space = true;
      canvas.classList.add("panning");
      event.preventDefault();
    } else if (arrows[event.key]) {
      const [dx, dy] = arrows[event.key];
      if (brush && !event.altKey) brush.step(dx, dy, event.shiftKey);
      else view.pan(-60 * dx, -60 * dy);
      event.preventDefault();
    } else if (brush && event.key === "Enter" && !event.repeat) {
      brush.toggle();
      event.preventDefault();
    }
  });
  const release = () => {
    space = false;
    canvas.classList.remove("panning");
  };
  canvas.addEventListener("keyup", (event) => event.key === " " && release());
  canvas.addEventListener("blur", release);
}

function span(fingers) {
  const [a, b] = [...fingers.values()];
  return {
    clientX: (a.clientX + b.clientX) / 2,
    clientY: (a.clientY + b.clientY) / 2,
    length: Math.max(10, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
  };
}

/* The brush: it makes strokes from a path. `onStroke` gets each when it is done. */
export class Brush {
  constructor({ view, getOverlay, refresh, ring, onBegin, onStroke }) {
    Object.assign(this, { view, getOverlay, refresh, ring, onBegin, onStroke });
    this.kind = "foreground";
    this.size = 28; // CSS pixels, so that a closer look paints finer
    this.place = null; // of the pointer, in the picture
    this.stroke = null;
    this.last = null;
    this.byKeys = false;
    this.sampling = null; // takes the next point instead of a stroke
    this.onResize = () => {};
  }

  begin(point, straight) {
    if (this.sampling) {
      this.sampling(point);
      return;
    }
    const points = straight && this.last ? [this.last, rounded(point)] : [rounded(point)];
    this.stroke = { brush: this.kind, size: rounded([this.size / this.view.scale])[0], points };
    this.onBegin();
    this.getOverlay().extend(this.stroke, 0);
    this.refresh();
  }

  extend(points) {
    if (!this.stroke) return;
    const known = this.stroke.points;
    const from = known.length;
    for (const point of points) {
      const [x, y] = known.at(-1);
      const near = Math.max(0.4, this.stroke.size * STEP);
      if (Math.hypot(point[0] - x, point[1] - y) >= near) known.push(rounded(point));
    }
    if (known.length === from) return;
    this.getOverlay().extend(this.stroke, from);
    this.refresh();
  }

  end() {
    if (!this.stroke) return;
    const stroke = this.stroke;
    this.stroke = null;
    this.byKeys = false;
    this.last = stroke.points.at(-1);
    this.onStroke(stroke);
  }

  drop() {
    this.stroke = null;
    this.byKeys = false;
    this.onStroke(null);
  }

  hover(point) {
    if (this.byKeys) return;
    this.place = point;
    this.ring();
  }

  resize(by) {
    this.size = Math.min(Math.max(this.size * by, 2), 400);
    this.onResize(this.size);
    this.ring();
  }

  /* The arrow keys move the brush; Enter puts it down and lifts it. */
  step(dx, dy, far) {
    const { view } = this;
    const by = (far ? 48 : 8) / view.scale;
    const [x, y] = this.place ?? [view.x, view.y];
    this.place = [clamp(x + dx * by, view.width), clamp(y + dy * by, view.height)];
    const [right, down] = [this.place[0] - view.x, this.place[1] - view.y];
    const [wide, high] = view.room.map((side) => side / 2 / view.scale - 20 / view.scale);
    if (Math.abs(right) > wide || Math.abs(down) > high) view.move(...this.place);
    if (this.stroke) this.extend([this.place]);
    this.ring();
  }

  toggle() {
    this.place ??= [this.view.x, this.view.y];
    if (this.stroke) this.end();
    else {
      this.begin(this.place, false);
      this.byKeys = this.stroke !== null;
    }
    this.ring();
  }
}

function rounded(numbers) {
  return numbers.map((number) => Math.round(number * 10) / 10);
}

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}
