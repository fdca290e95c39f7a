/* What the page asks of whatever finds alpha. It is the only module that knows the server: another
   class with the same methods, such as one on a WebAssembly core, can stand in for it.

   begin()                     {first, methods, colours, limits}: what there is to choose from
   load(file), open(id)        a state: {id, name, width, height, start, guide, strokes, missing}
   picture()                   a Blob that the browser can show
   trimap("base" | "painted")  a Blob: 0 background, 128 unknown, 255 foreground
   guide(file), start(what)    {start, missing}: what lies under the strokes
   strokes(keep, add)          {count, unknown, missing}; stops a solve that runs
   solve(wish, size, tell)     {width, height, factor, finer, ..., pixels}: straight RGBA; size is
                               "quick" while somebody paints, or "fine"
   cancel()                    stops a solve that runs
   save(what, wish, tell)      {name, blob} at the whole size

   A stroke is {brush, size, points}; size and points are in pixels of the picture. A wish is
   {method, options, colours}. tell(phase, done) hears of progress, done goes from 0 to 1. */

export class Cancelled extends Error {}
export class KeyWanted extends Error {}

export class ServerEngine {
  constructor(key) {
    this.key = key;
    this.id = null;
  }

  begin() {
    return this.#json("data/begin");
  }

  async load(file) {
    const state = await this.#json(`data/pictures?name=${encodeURIComponent(file.name)}`, file);
    this.id = state.id;
    return state;
  }

  async open(id) {
    const state = await this.#json(`data/pictures/${encodeURIComponent(id)}`);
    this.id = id;
    return { ...state, id };
  }

  async picture() {
    return (await this.#ask(this.#of("picture"))).blob();
  }

  async trimap(which) {
    return (await this.#ask(this.#of(`trimap?of=${which}`))).blob();
  }

  guide(file) {
    return this.#json(this.#of(`guide?name=${encodeURIComponent(file.name)}`), file);
  }

  start(what) {
    return this.#json(this.#of("start"), JSON.stringify(what));
  }

  strokes(keep, add) {
    return this.#json(this.#of("strokes"), JSON.stringify({ keep, add }));
  }

  async solve(wish, size, tell) {
    const { result, content } = await this.#stream(this.#of("solve"), { wish, size }, tell);
    return { ...result, pixels: new Uint8ClampedArray(content.buffer) };
  }

  cancel() {
    return this.#json(this.#of("cancel"), "{}");
  }

  async save(what, wish, tell) {
    const { result, content } = await this.#stream(this.#of("save"), { what, wish }, tell);
    return { name: result.name, blob: new Blob([content]) };
  }

  #of(path) {
    return `data/pictures/${this.id}/${path}`;
  }

  async #ask(path, body) {
    let response;
    try {
      response = await fetch(path, {
        method: body === undefined ? "GET" : "POST",
        headers: this.key ? { "X-Api-Key": this.key } : {},
        body,
      });
    } catch {
      throw new Error("The program behind this page does not answer. Is it still running?");
    }
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      if (response.status === 401) throw new KeyWanted(error?.message);
      throw new Error(error?.message ?? `The server answered ${response.status}.`);
    }
    return response;
  }

  async #json(path, body) {
    return (await this.#ask(path, body)).json();
  }

  /* Lines of JSON, then the bytes that the last line announces. */
  async #stream(path, message, tell) {
    const response = await this.#ask(path, JSON.stringify(message));
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = new Uint8Array(0);
    let problem = null; // it is thrown at the end, so that the answer is read whole
    let result = null;
    let content = null;
    let filled = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (content) {
        content.set(value, filled);
        filled += value.length;
        continue;
      }
      text = joined(text, value);
      for (let end = text.indexOf(10); end >= 0 && !result; end = text.indexOf(10)) {
        const line = JSON.parse(decoder.decode(text.subarray(0, end)));
        text = text.subarray(end + 1);
        if (line.error) problem = new Error(line.error);
        else if (line.cancelled) problem = new Cancelled();
        else if (line.result) result = line.result;
        else tell?.(line.phase, line.done);
      }
      if (result) {
        content = new Uint8Array(result.bytes);
        content.set(text);
        filled = text.length;
      }
    }
    if (problem) throw problem;
    if (!content || filled !== result.bytes) throw new Error("The answer ended early.");
    return { result, content };
  }
}

function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
