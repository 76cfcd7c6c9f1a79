/**
 * The atlas: pictures placed by meaning, like by like, to zoom into and to look around in.
 *
 * It needs nothing but plain data and its style sheet, atlas.css: it imports no other file, so that a page
 * of its own can hold it.
 */

const MARGIN = 56; // px around the pictures when all of them are in sight
const NEAREST = 40; // the largest zoom
const SMALLEST = 46; // px, the side of a small picture when all are in sight
const LARGEST = 132;
const GROWTH = 0.38; // how pictures grow with the zoom
const GAP = 5;
const LEVELS = 3; // steps at which more pictures get a place, for each doubling of the zoom
const DOT = 3.2;
const REACH = 14; // px around a dot in which the pointer finds it
const FLIGHT_MS = 320;
const FADE_MS = 180;
const WHEEL = 0.0016;
const KEPT = 1200; // loaded pictures
const COLOURS = [
  "#4f8cff", "#f0883e", "#2fb688", "#d65db1", "#e0b341", "#8b7cf6",
  "#e5626d", "#3fb6c9", "#98b83c", "#c07f5a", "#6f9bd8", "#c86fd6",
]; // prettier-ignore

/**
 * @typedef {{ id: number, x: number, y: number, cluster: number }} Point places are in 0..1
 * @typedef {{ words: string[], count: number, x: number, y: number, shown: number[] }} Cluster
 *
 * @typedef {{ x: number, y: number, zoom: number }} View the place in the middle of the window
 *
 * @typedef {object} Sources
 * @property {(id: number) => string | null} picture address of a small picture; null: only a dot is shown
 * @property {(id: number) => string | null} [large] address of the picture that the pointer is on
 * @property {(id: number) => string | null} [name]
 * @property {(id: number) => void} [open]
 */

/**
 * Fill an element with the atlas.
 * @param {HTMLElement} element may have any size, which the atlas follows
 * @param {{ points: Point[], clusters: Cluster[] }} data
 * @param {Sources} sources
 */
export const show = (element, data, sources) => new Atlas(element, data, sources);

class Atlas {
  #view = { x: 0.5, y: 0.5, zoom: 1 };
  #frame = 0;
  /** @type {{ from: View, to: View, start: number } | null} */
  #flight = null;
  /** @type {Map<number, Set<number>>} by level: which points are shown as pictures */
  #levels = new Map();
  /** @type {Map<number, HTMLImageElement>} by id */
  #images = new Map();
  /** @type {Map<number, number>} by point: since when it is shown as a picture, ms */
  #since = new Map();
  /** @type {Map<number, { x: number, y: number }>} */
  #fingers = new Map();
  #pressed = { x: 0, y: 0, moved: false };
  #chosen = -1;
  #pointer = { x: -1, y: -1 };
  #wide = 1;
  #high = 1;

  /**
   * @param {HTMLElement} element is filled, and may have any size
   * @param {{ points: Point[], clusters: Cluster[] }} data
   * @param {Sources} sources
   */
  constructor(element, data, sources) {
    this.element = element;
    this.points = data.points;
    this.clusters = data.clusters;
    this.sources = sources;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.order = this.#byWorth();
    this.canvas = make("canvas", "atlas-canvas", {
      tabindex: "0",
      role: "img",
      "aria-label":
        `A map of ${data.points.length} pictures: those that are alike lie side by side. ` +
        "Arrow keys go from picture to picture, plus and minus zoom, Enter opens.",
    });
    this.labels = make("div", "atlas-labels");
    this.card = make("div", "atlas-card", { "aria-hidden": "true", hidden: "" });
    this.cardPicture = make("img", "atlas-card-picture", { alt: "" });
    this.cardName = make("div", "atlas-card-name");
    this.card.append(this.cardPicture, this.cardName);
    this.said = make("p", "atlas-said", { role: "status" });
    element.classList.add("atlas");
    element.replaceChildren(this.canvas, this.labels, this.#tools(), this.card, this.said);
    this.names = this.clusters.map((cluster, number) => this.#label(cluster, number));
    this.labels.append(...this.names.filter((name) => name !== null));
    this.#listen();
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(element);
    this.themes = new MutationObserver(() => this.#draw());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** Stop to follow the size and the colours of the page. */
  end() {
    this.observer.disconnect();
    this.themes.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** Show all pictures. */
  whole() {
    this.#fly({ x: 0.5, y: 0.5, zoom: 1 });
  }

  /** @param {number} factor */
  zoomBy(factor) {
    const from = this.#flight?.to ?? this.#view;
    this.#fly({ ...from, zoom: from.zoom * factor });
  }

  // ---- places

  /** The numbers of points: those that stand for a cluster first, in turn, then all others. */
  #byWorth() {
    const at = new Map(this.points.map(({ id }, index) => [id, index]));
    /** @type {Set<number>} */
    const order = new Set();
    const longest = Math.max(0, ...this.clusters.map(({ shown }) => shown.length));
    for (let turn = 0; turn < longest; turn += 1)
      for (const { shown } of this.clusters) {
        const index = at.get(shown[turn]);
        if (index !== undefined) order.add(index);
      }
    this.points.forEach((_, index) => order.add(index));
    return [...order];
  }

  /** @param {Point} point */
  #onScreen({ x, y }) {
    const { x: left, y: top, zoom } = this.#view;
    return {
      x: this.#wide / 2 + (x - left) * zoom * (this.#wide - 2 * MARGIN),
      y: this.#high / 2 + (y - top) * zoom * (this.#high - 2 * MARGIN),
    };
  }

  /** The side of a picture at this zoom, px. @param {number} zoom */
  #side(zoom) {
    const small = this.#wide < 640 ? 0.8 : 1;
    return small * Math.min(LARGEST, SMALLEST * zoom ** GROWTH);
  }

  /**
   * Which points are shown as pictures at this zoom: as many as fit without covering each other. Whoever
   * has a place keeps it when one zooms in, since places move apart faster than pictures grow.
   */
  #pictured() {
    const level = Math.floor(Math.log2(this.#view.zoom) * LEVELS + 1e-6);
    const known = this.#levels.get(level);
    if (known) return known;
    const zoom = 2 ** (level / LEVELS);
    const apart = this.#side(zoom * 2 ** (1 / LEVELS)) + GAP;
    const wide = zoom * (this.#wide - 2 * MARGIN);
    const high = zoom * (this.#high - 2 * MARGIN);
    /** @type {Map<string, number[]>} */
    const cells = new Map();
    /** @type {Set<number>} */
    const chosen = new Set();
    for (const index of this.order) {
      const x = this.points[index].x * wide;
      const y = this.points[index].y * high;
      const column = Math.floor(x / apart);
      const row = Math.floor(y / apart);
      if (this.#isTaken(cells, column, row, x, y, apart)) continue;
      const key = `${column},${row}`;
      cells.set(key, [...(cells.get(key) ?? []), x, y]);
      chosen.add(index);
    }
    this.#levels.set(level, chosen);
    return chosen;
  }

  /**
   * @param {Map<string, number[]>} cells
   * @param {number} column
   * @param {number} row
   * @param {number} x
   * @param {number} y
   * @param {number} apart
   */
  #isTaken(cells, column, row, x, y, apart) {
    for (let right = -1; right <= 1; right += 1)
      for (let down = -1; down <= 1; down += 1) {
        const there = cells.get(`${column + right},${row + down}`) ?? [];
        for (let at = 0; at < there.length; at += 2)
          if (Math.abs(there[at] - x) < apart && Math.abs(there[at + 1] - y) < apart) return true;
      }
    return false;
  }

  /** @param {View} view */
  #kept({ x, y, zoom }) {
    const nearest = Math.min(NEAREST, Math.max(1, zoom));
    const most = 0.5 - 0.5 / nearest; // of the middle of the window from the middle of the map
    const inside = (/** @type {number} */ value) => Math.min(0.5 + most, Math.max(0.5 - most, value));
    return { x: inside(x), y: inside(y), zoom: nearest };
  }

  /** @param {View} view */
  #go(view) {
    this.#flight = null;
    this.#view = this.#kept(view);
    this.#draw();
  }

  /** @param {View} view */
  #fly(view) {
    if (this.still.matches) return this.#go(view);
    this.#flight = { from: this.#view, to: this.#kept(view), start: performance.now() };
    this.#draw();
  }

  /**
   * Zoom so that the point of the window stays where it is.
   * @param {number} factor
   * @param {{ x: number, y: number }} at
   */
  #zoomAt(factor, at) {
    const { x, y, zoom } = this.#view;
    const next = Math.min(NEAREST, Math.max(1, zoom * factor));
    const right = (at.x - this.#wide / 2) / (this.#wide - 2 * MARGIN);
    const down = (at.y - this.#high / 2) / (this.#high - 2 * MARGIN);
    this.#go({ x: x + right / zoom - right / next, y: y + down / zoom - down / next, zoom: next });
  }

  // ---- drawing

  #resized() {
    this.#wide = Math.max(1, this.element.clientWidth);
    this.#high = Math.max(1, this.element.clientHeight);
    this.canvas.width = Math.round(this.#wide * devicePixelRatio);
    this.canvas.height = Math.round(this.#high * devicePixelRatio);
    this.#levels.clear();
    this.#paint();
  }

  #draw() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#advance();
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, this.#wide, this.#high);
    const pictured = this.#pictured();
    const side = this.#side(this.#view.zoom);
    for (let index = 0; index < this.points.length; index += 1)
      if (!pictured.has(index)) this.#drawDot(pen, index);
    for (const index of pictured) this.#drawPicture(pen, index, side);
    for (const index of this.#since.keys()) if (!pictured.has(index)) this.#since.delete(index);
    if (this.#chosen >= 0) this.#drawRing(pen, pictured.has(this.#chosen) ? side : 2 * DOT);
    this.#placeLabels();
    if (this.#flight) this.#draw();
  }

  /** Move the view along its flight. */
  #advance() {
    if (!this.#flight) return;
    const { from, to, start } = this.#flight;
    const passed = Math.min(1, (performance.now() - start) / FLIGHT_MS);
    const eased = 1 - (1 - passed) ** 3;
    const zoom = from.zoom * (to.zoom / from.zoom) ** eased;
    // as the zoom goes by factors, the middle goes by the share of the way in what is in sight
    const share = from.zoom === to.zoom ? eased : (1 / from.zoom - 1 / zoom) / (1 / from.zoom - 1 / to.zoom);
    this.#view = { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share, zoom };
    if (passed === 1) this.#flight = null;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} index */
  #drawDot(pen, index) {
    const { x, y } = this.#onScreen(this.points[index]);
    if (x < -9 || y < -9 || x > this.#wide + 9 || y > this.#high + 9) return;
    pen.globalAlpha = 0.75;
    pen.fillStyle = this.#colour(this.points[index].cluster);
    pen.beginPath();
    pen.arc(x, y, DOT, 0, 2 * Math.PI);
    pen.fill();
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} index @param {number} side */
  #drawPicture(pen, index, side) {
    const { x, y } = this.#onScreen(this.points[index]);
    if (x < -side || y < -side || x > this.#wide + side || y > this.#high + side) return;
    const image = this.#image(this.points[index].id);
    if (!image?.complete || !image.naturalWidth) {
      this.#since.delete(index);
      if (image && !image.complete) this.#drawPlace(pen, index, side);
      return this.#drawDot(pen, index);
    }
    const now = performance.now();
    const since = this.#since.get(index) ?? now;
    this.#since.set(index, since);
    const there = this.still.matches ? 1 : Math.min(1, (now - since) / FADE_MS);
    if (there < 1) {
      this.#drawDot(pen, index);
      this.#draw();
    }
    const size = side * (0.7 + 0.3 * there);
    const cut = Math.min(image.naturalWidth, image.naturalHeight);
    pen.save();
    pen.globalAlpha = there;
    pen.beginPath();
    pen.roundRect(x - size / 2, y - size / 2, size, size, size / 7);
    pen.lineWidth = 3;
    pen.strokeStyle = this.#colour(this.points[index].cluster);
    pen.stroke();
    pen.clip();
    pen.drawImage(
      image,
      (image.naturalWidth - cut) / 2, (image.naturalHeight - cut) / 2, cut, cut,
      x - size / 2, y - size / 2, size, size,
    ); // prettier-ignore
    pen.restore();
  }

  /**
   * Where a picture will be that is still loading.
   * @param {CanvasRenderingContext2D} pen
   * @param {number} index
   * @param {number} side
   */
  #drawPlace(pen, index, side) {
    const { x, y } = this.#onScreen(this.points[index]);
    pen.globalAlpha = 0.16;
    pen.fillStyle = this.#colour(this.points[index].cluster);
    pen.beginPath();
    pen.roundRect(x - side / 2, y - side / 2, side, side, side / 7);
    pen.fill();
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} side */
  #drawRing(pen, side) {
    const { x, y } = this.#onScreen(this.points[this.#chosen]);
    const half = side / 2 + 4;
    pen.strokeStyle = getComputedStyle(this.canvas).color;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.roundRect(x - half, y - half, 2 * half, 2 * half, half / 3);
    pen.stroke();
  }

  /** @param {number} cluster */
  #colour(cluster) {
    return COLOURS[Math.max(0, cluster) % COLOURS.length];
  }

  /** @param {number} id */
  #image(id) {
    let image = this.#images.get(id);
    if (image) return image;
    const address = this.sources.picture(id);
    if (!address) return null;
    if (this.#images.size >= KEPT) this.#images.delete(this.#images.keys().next().value ?? id);
    image = new Image();
    image.onload = () => this.#draw();
    image.src = address;
    this.#images.set(id, image);
    return image;
  }

  /** @param {Cluster} cluster @param {number} number */
  #label({ words, count }, number) {
    if (!words.length) return null;
    const label = make("button", "atlas-label", { type: "button" });
    label.style.setProperty("--colour", this.#colour(number));
    const many = make("span", "atlas-count");
    many.textContent = count.toLocaleString();
    label.append(words.join(", "), many);
    label.title = `Zoom to ${words.join(", ")}`;
    label.addEventListener("click", () => this.#show(number));
    return label;
  }

  /** Each name at the middle of its cluster, where no other one is in the way. */
  #placeLabels() {
    /** @type {[number, number, number, number][]} */
    const taken = [];
    this.names.forEach((label, number) => {
      if (!label) return;
      const { x, y } = this.#onScreen({ ...this.clusters[number], id: 0, cluster: number });
      const wide = label.offsetWidth / 2 + 4;
      const high = label.offsetHeight / 2 + 3;
      const inside = x > -wide && y > -high && x < this.#wide + wide && y < this.#high + high;
      const left = Math.min(Math.max(x, wide + 4), this.#wide - wide - 4);
      const free = [0, -1, 1, -2, 2].map((step) => y + step * 2 * high).find(
        (top) =>
          top > high && top < this.#high - high &&
          taken.every(([a, b, w, t]) => Math.abs(a - left) >= w + wide || Math.abs(b - top) >= t + high),
      ); // prettier-ignore
      const shown = inside && free !== undefined;
      label.style.visibility = shown ? "visible" : "hidden";
      if (!shown) return;
      taken.push([left, free, wide, high]);
      label.style.transform = `translate(${left}px, ${free}px) translate(-50%, -50%)`;
    });
  }

  /** Zoom to a cluster, without its farthest pictures. @param {number} number */
  #show(number) {
    const mine = this.points.filter(({ cluster }) => cluster === number);
    if (!mine.length) return;
    /** @param {number[]} values */
    const span = (values) => {
      values.sort((one, other) => one - other);
      return [values[Math.floor(values.length * 0.08)], values[Math.ceil(values.length * 0.92) - 1]];
    };
    const [left, right] = span(mine.map(({ x }) => x));
    const [top, bottom] = span(mine.map(({ y }) => y));
    const zoom = Math.min(0.85 / Math.max(right - left, 0.03), 0.85 / Math.max(bottom - top, 0.03));
    this.#fly({ x: (left + right) / 2, y: (top + bottom) / 2, zoom });
  }

  // ---- pointer and keys

  #tools() {
    const tools = make("div", "atlas-tools", { role: "group", "aria-label": "Zoom" });
    /** @type {[string, string, () => void][]} */
    const buttons = [
      ["+", "Zoom in (+)", () => this.zoomBy(1.8)],
      ["−", "Zoom out (−)", () => this.zoomBy(1 / 1.8)],
      ["⤢", "Show all (0)", () => this.whole()],
    ];
    for (const [sign, label, act] of buttons) {
      const button = make("button", "atlas-tool", { type: "button", "aria-label": label, title: label });
      button.textContent = sign;
      button.addEventListener("click", act);
      tools.append(button);
    }
    return tools;
  }

  #listen() {
    const { canvas, element } = this;
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => void this.#fingers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.#choose(-1));
    canvas.addEventListener("blur", () => this.#choose(-1));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {MouseEvent} event */
  #point({ clientX, clientY }) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    this.#zoomAt(Math.exp(-event.deltaY * lines * WHEEL * (event.ctrlKey ? 5 : 1)), this.#point(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.#point(event);
    this.#fingers.set(event.pointerId, at);
    if (this.#fingers.size === 1) this.#pressed = { ...at, moved: false };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const now = this.#point(event);
    const before = this.#fingers.get(event.pointerId);
    if (!before) return this.#hover(event, now);
    this.#fingers.set(event.pointerId, now);
    const far = Math.hypot(now.x - this.#pressed.x, now.y - this.#pressed.y) > 5;
    if (far || this.#fingers.size > 1) this.#pressed.moved = true;
    if (!this.#pressed.moved) return;
    this.canvas.classList.add("held");
    this.#choose(-1);
    const still = [...this.#fingers.values()].find((finger) => finger !== now);
    if (still) {
      const was = Math.hypot(before.x - still.x, before.y - still.y);
      const apart = Math.hypot(now.x - still.x, now.y - still.y);
      this.#zoomAt(apart / Math.max(1, was), { x: (now.x + still.x) / 2, y: (now.y + still.y) / 2 });
    }
    const share = still ? 0.5 : 1;
    const { x, y, zoom } = this.#view;
    this.#go({
      x: x - (share * (now.x - before.x)) / zoom / (this.#wide - 2 * MARGIN),
      y: y - (share * (now.y - before.y)) / zoom / (this.#high - 2 * MARGIN),
      zoom,
    });
  }

  /** @param {PointerEvent} event @param {{ x: number, y: number }} now */
  #hover(event, now) {
    const rests = now.x === this.#pointer.x && now.y === this.#pointer.y; // what is below it moved
    this.#pointer = now;
    if (event.pointerType === "mouse" && !rests) this.#choose(this.#near(now), now);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#fingers.delete(event.pointerId) || this.#fingers.size) return;
    this.canvas.classList.remove("held");
    if (this.#pressed.moved) return;
    const near = this.#near(this.#point(event));
    if (near >= 0) this.sources.open?.(this.points[near].id);
  }

  /** The point below a place of the window; -1 if there is none. @param {{ x: number, y: number }} at */
  #near(at) {
    const pictured = this.#pictured();
    const side = this.#side(this.#view.zoom) / 2;
    let best = -1;
    let least = Infinity;
    this.points.forEach((point, index) => {
      const { x, y } = this.#onScreen(point);
      const away = Math.max(Math.abs(x - at.x), Math.abs(y - at.y));
      if (away > (pictured.has(index) ? side : REACH)) return;
      const share = pictured.has(index) ? away / side : 0.5 + away / REACH; // pictures before dots
      if (share < least) [best, least] = [index, share];
    });
    return best;
  }

  /**
   * Mark a point, and show its picture larger.
   * @param {number} index
   * @param {{ x: number, y: number }} [at]
   */
  #choose(index, at) {
    if (index !== this.#chosen) {
      this.#chosen = index;
      this.canvas.classList.toggle("on-picture", index >= 0 && Boolean(this.sources.open));
      this.#draw();
      if (index >= 0) this.#fillCard(this.points[index].id);
    }
    this.card.hidden = index < 0;
    if (index < 0) return;
    const { x, y } = at ?? this.#onScreen(this.points[index]);
    const right = x + 24 + this.card.offsetWidth < this.#wide;
    const left = right ? x + 24 : x - 24 - this.card.offsetWidth;
    const top = Math.min(
      Math.max(8, y - this.card.offsetHeight / 2),
      this.#high - this.card.offsetHeight - 8,
    );
    this.card.style.transform = `translate(${Math.max(8, left)}px, ${top}px)`;
  }

  /** @param {number} id */
  #fillCard(id) {
    const address = this.sources.large?.(id) ?? this.sources.picture(id);
    this.cardPicture.hidden = !address;
    if (address) this.cardPicture.src = address;
    const name = this.sources.name?.(id);
    this.cardName.textContent = name ?? "";
    this.cardName.hidden = !name;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => this.#neighbour(1, 0),
      ArrowLeft: () => this.#neighbour(-1, 0),
      ArrowDown: () => this.#neighbour(0, 1),
      ArrowUp: () => this.#neighbour(0, -1),
      "+": () => this.zoomBy(1.8),
      "=": () => this.zoomBy(1.8),
      "-": () => this.zoomBy(1 / 1.8),
      0: () => this.whole(),
      Enter: () => this.#chosen >= 0 && this.sources.open?.(this.points[this.#chosen].id),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /**
   * Choose the nearest picture in a direction; without a chosen one, the one in the middle.
   * @param {number} right
   * @param {number} down
   */
  #neighbour(right, down) {
    const pictured = this.#pictured();
    const from =
      this.#chosen >= 0
        ? this.#onScreen(this.points[this.#chosen])
        : { x: this.#wide / 2, y: this.#high / 2 };
    let best = -1;
    let least = Infinity;
    for (const index of pictured) {
      if (index === this.#chosen) continue;
      const { x, y } = this.#onScreen(this.points[index]);
      const along = (x - from.x) * right + (y - from.y) * down;
      const aside = Math.abs((x - from.x) * down) + Math.abs((y - from.y) * right);
      const cost = this.#chosen < 0 ? Math.abs(along) + aside : along + 2 * aside;
      if ((this.#chosen >= 0 && along < 4) || cost >= least) continue;
      [best, least] = [index, cost];
    }
    if (best < 0) return;
    const { x, y } = this.#onScreen(this.points[best]);
    const inside = x > MARGIN && y > MARGIN && x < this.#wide - MARGIN && y < this.#high - MARGIN;
    if (!inside) this.#go({ ...this.#view, x: this.points[best].x, y: this.points[best].y });
    this.#choose(best);
    const { words } = this.clusters[this.points[best].cluster] ?? { words: [] };
    this.said.textContent = [this.sources.name?.(this.points[best].id), ...words].filter(Boolean).join(", ");
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} name of its class
 * @param {Record<string, string>} [attributes]
 */
function make(tag, name, attributes = {}) {
  const element = document.createElement(tag);
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
