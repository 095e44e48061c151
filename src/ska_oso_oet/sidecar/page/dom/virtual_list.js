/** A list of which only the rows that can be seen exist: its length costs nothing. */

const SPARE = 12;

/**
 * Rows of equal height in an element that scrolls.
 *
 * @template {HTMLElement} Row
 */
export class VirtualList {
  /**
   * @param {HTMLElement} scroller the element that scrolls; it gets the class "rows"
   * @param {() => Row} makeRow returns a new row
   * @param {(row: Row, index: number) => void} fillRow shows an entry in a row
   */
  constructor(scroller, makeRow, fillRow) {
    this.scroller = scroller;
    this.makeRow = makeRow;
    this.fillRow = fillRow;
    this.count = 0;
    /** Whether the last row is kept in sight. */
    this.follows = true;
    /** @type {(follows: boolean) => void} */
    this.onfollow = () => {};
    /** @type {Row[]} */
    this.rows = [];
    this.rowHeight = 20;
    this.space = document.createElement("div");
    this.space.className = "space";
    scroller.classList.add("rows");
    scroller.append(this.space);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(scroller);
  }

  /** Release what watches the element. */
  close() {
    this.observer.disconnect();
  }

  /**
   * Show that many rows.
   *
   * @param {number} count
   */
  resize(count) {
    this.count = count;
    this.draw();
  }

  /**
   * Keep the last row in sight, or do not.
   *
   * @param {boolean} follows
   */
  follow(follows) {
    if (this.follows === follows) return;
    this.follows = follows;
    this.onfollow(follows);
    this.draw();
  }

  /**
   * Bring a row into sight, and stop following.
   *
   * @param {number} index
   */
  show(index) {
    this.follow(false);
    const top = index * this.rowHeight - this.scroller.clientHeight / 2;
    this.scroller.scrollTop = Math.max(0, top);
    this.draw();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < this.rowHeight;
    // Growing moves the end away without anybody having scrolled.
    if (atEnd) this.follow(true);
    else if (scrollTop < this.lastTop - 1) this.follow(false);
    this.lastTop = scrollTop;
    this.draw();
  }

  lastTop = 0;

  /** Draw the rows that are in sight. */
  draw() {
    const { scroller } = this;
    if (!scroller.isConnected) return;
    const height = `${this.count * this.rowHeight}px`;
    if (this.space.style.height !== height) this.space.style.height = height;
    if (this.follows) {
      scroller.scrollTop = scroller.scrollHeight;
      this.lastTop = scroller.scrollTop;
    }
    const first = Math.max(0, Math.floor(scroller.scrollTop / this.rowHeight) - SPARE);
    const visible = Math.ceil(scroller.clientHeight / this.rowHeight) + 2 * SPARE;
    const shown = Math.min(this.count - first, visible);
    while (this.rows.length < shown) {
      const row = this.makeRow();
      this.rows.push(row);
      this.space.append(row);
    }
    // A row keeps its entry as long as that is in sight: little changes when the list moves by a few rows.
    const count = this.rows.length;
    for (let place = 0; place < count; place += 1) {
      const index = first + ((((place - first) % count) + count) % count);
      const row = /** @type {Row} */ (this.rows[place]);
      const hidden = index >= first + shown;
      if (row.hidden !== hidden) row.hidden = hidden;
      if (hidden) continue;
      const top = `translateY(${index * this.rowHeight}px)`;
      if (row.style.transform !== top) row.style.transform = top;
      this.fillRow(row, index);
    }
  }
}
