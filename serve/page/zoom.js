/** One picture under fingers and wheel: zoom, pan, and at its natural size a swipe. */

const MOST = 8;
const DOUBLE = 2.5;
const SWIPE = 60; // px
const WHEEL = 0.0022; // of the zoom's logarithm for a pixel of the wheel

/**
 * @typedef {object} Moves
 * @property {(by: number) => void} step
 * @property {() => void} close
 */

export class Zoom {
  scale = 1;
  #x = 0;
  #y = 0;
  /** @type {Map<number, { x: number, y: number }>} */
  #fingers = new Map();
  #moved = { x: 0, y: 0 };

  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} picture fills the stage
   * @param {Moves} moves
   */
  constructor(stage, picture, moves) {
    this.stage = stage;
    this.picture = picture;
    this.moves = moves;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("dblclick", (event) => this.#double(event));
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#drag(event));
    for (const name of ["pointerup", "pointercancel"])
      stage.addEventListener(name, (event) => this.#up(/** @type {PointerEvent} */ (event)));
  }

  reset() {
    this.scale = 1;
    this.#x = this.#y = 0;
    this.#fingers.clear();
    this.#draw();
  }

  /**
   * Zoom so that the point stays where it is.
   * @param {number} factor
   * @param {{ x: number, y: number }} [point]
   */
  by(factor, point = { x: 0, y: 0 }) {
    const next = Math.min(MOST, Math.max(1, this.scale * factor));
    const share = next / this.scale;
    this.#x = point.x - (point.x - this.#x) * share;
    this.#y = point.y - (point.y - this.#y) * share;
    this.scale = next;
    this.#draw();
  }

  #draw() {
    const { clientWidth, clientHeight } = this.stage;
    const wide = ((this.scale - 1) * clientWidth) / 2;
    const high = ((this.scale - 1) * clientHeight) / 2;
    this.#x = Math.min(wide, Math.max(-wide, this.#x));
    this.#y = Math.min(high, Math.max(-high, this.#y));
    this.picture.style.transform =
      this.scale === 1 ? "" : `translate(${this.#x}px, ${this.#y}px) scale(${this.scale})`;
    this.stage.classList.toggle("zoomed", this.scale > 1);
  }

  /** Where a pointer is, from the middle of the stage. @param {MouseEvent} event */
  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    this.by(Math.exp(-event.deltaY * lines * WHEEL * (event.ctrlKey ? 4 : 1)), this.#point(event));
  }

  /** @param {MouseEvent} event */
  #double(event) {
    if (this.scale > 1) this.reset();
    else this.by(DOUBLE, this.#point(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button || /** @type {Element} */ (event.target).closest("button")) return;
    this.stage.setPointerCapture(event.pointerId);
    if (!this.#fingers.size) this.#moved = { x: 0, y: 0 };
    this.#fingers.set(event.pointerId, this.#point(event));
    this.stage.classList.add("held");
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#point(event);
    this.#fingers.set(event.pointerId, now);
    const [one, other] = [...this.#fingers.values()];
    if (other) {
      const still = one === now ? other : one;
      const apart = Math.hypot(now.x - still.x, now.y - still.y);
      const was = Math.hypot(before.x - still.x, before.y - still.y);
      this.by(apart / Math.max(1, was), { x: (now.x + still.x) / 2, y: (now.y + still.y) / 2 });
    } else if (this.scale > 1) {
      this.#x += now.x - before.x;
      this.#y += now.y - before.y;
      this.#draw();
    } else if (event.pointerType !== "mouse") {
      this.#moved.x += now.x - before.x;
      this.#moved.y += now.y - before.y;
      const sideways = Math.abs(this.#moved.x) > Math.abs(this.#moved.y);
      const [x, y] = sideways ? [this.#moved.x, 0] : [0, Math.max(0, this.#moved.y)];
      this.picture.style.transform = `translate(${x}px, ${y}px)`;
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#fingers.delete(event.pointerId) || this.#fingers.size) return;
    this.stage.classList.remove("held");
    if (this.scale > 1) return;
    const { x, y } = this.#moved;
    this.#moved = { x: 0, y: 0 };
    this.picture.style.transform = "";
    if (Math.abs(x) > SWIPE && Math.abs(x) > Math.abs(y)) this.moves.step(x < 0 ? 1 : -1);
    else if (y > 1.5 * SWIPE && y > Math.abs(x)) this.moves.close();
  }
}
