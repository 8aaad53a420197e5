const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 88;
const LEFT = 40;
const BARS = 40;

/** Bars of the last {@link BARS} times, in milliseconds, from left to right. */
export class Plot {
  #svg;
  #width = 400;
  #times = [];

  constructor(svg) {
    this.#svg = svg;
    this.#draw();
    new ResizeObserver(([{contentRect}]) => {
      if (contentRect.width > 0) { // else it is taken away
        this.#width = contentRect.width; // so that text has one size, however wide the window is
        this.#draw();
      }
    }).observe(svg);
  }

  add(milliseconds) {
    this.#times = [...this.#times, milliseconds].slice(-BARS);
    this.#draw();
  }

  /** The median, or undefined while there is nothing. */
  median() {
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }

  #draw() {
    const most = niceCeiling(Math.max(1, ...this.#times));
    const step = (this.#width - LEFT) / BARS;
    const y = milliseconds => HEIGHT - 4 - (milliseconds / most) * (HEIGHT - 14);
    const shapes = [0, most / 2, most].flatMap(milliseconds => [
      shape('line', {class: 'grid', x1: LEFT, x2: this.#width, y1: y(milliseconds), y2: y(milliseconds)}),
      shape('text', {x: LEFT - 6, y: y(milliseconds) + 3, 'text-anchor': 'end'}, String(milliseconds)),
    ]);
    this.#times.forEach((milliseconds, i) => {
      const top = Math.min(y(milliseconds), y(0) - 1);
      shapes.push(shape('rect', {class: 'bar-of-plot', x: LEFT + i * step + 1, width: step - 2, y: top, height: y(0) - top}));
    });
    this.#svg.replaceChildren(...shapes);
    if (this.#times.length > 0) {
      const slowest = Math.max(...this.#times);
      this.#svg.setAttribute(
        'aria-label',
        `The last ${this.#times.length} pokes: median ${rounded(this.median())} ms, slowest ${rounded(slowest)} ms`,
      );
    }
  }
}

/** Milliseconds as people read them. */
export function rounded(milliseconds) {
  return milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0);
}

function shape(name, attributes, text = '') {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = text;
  return made;
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function niceCeiling(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].find(factor => factor * power >= number) * power;
}
