"use strict";
// Draws the lines of each section from the data in the page. Names go into the page as text only.
const COLOURS = ["#d1495b", "#2e86ab", "#edae49", "#3a9d5d", "#8e6fc1", "#e07a3f", "#4db6ac", "#b0699b", "#7a8b3c", "#5c7cfa"];
const NS = "http://www.w3.org/2000/svg";
const W = 1000, H = 330, LEFT = 76, RIGHT = 14, TOP = 14, BOTTOM = 30;
const tip = document.getElementById("tip");

function make(parent, name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.appendChild(node);
  return node;
}

// Values in bytes step by powers of 1024.
function step(top, bytes) {
  let unit = 1;
  if (bytes) while (unit * 1024 <= top) unit *= 1024;
  const rough = top / unit / 5, ten = 10 ** Math.floor(Math.log10(rough || 1));
  return unit * ten * [1, 2, 5, 10].find((f) => f * ten >= rough);
}

function amount(value, section) {
  const per = section.rate ? "/h" : "";
  if (section.unit !== "bytes") return +value.toPrecision(4) + (section.unit === "count" ? "" : " " + section.unit) + per;
  const names = ["B", "kB", "MB", "GB", "TB", "PB"];
  let place = 0;
  while (Math.abs(value) >= 1024 && place < names.length - 1) { value /= 1024; place++; }
  return +value.toPrecision(3) + " " + names[place] + per;
}

const clock = (time, wide) =>
  new Date(time * 1000).toLocaleString([], wide ? { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }
    : { hour: "2-digit", minute: "2-digit", second: "2-digit" });

class Chart {
  constructor(section, root) {
    this.section = section;
    this.root = root;
    this.svg = root.querySelector("figure svg");
    this.rows = [...root.querySelectorAll("tbody tr")];
    this.rows.forEach((row, index) => {
      const box = row.querySelector("input");
      box.style.setProperty("--swatch", this.colour(index));
      box.addEventListener("change", () => this.draw());
      row.addEventListener("mouseenter", () => this.light(index));
      row.addEventListener("mouseleave", () => this.light(-1));
    });
    this.svg.addEventListener("mousemove", (event) => this.point(event));
    this.svg.addEventListener("mouseleave", () => { tip.hidden = true; this.cursor.setAttribute("visibility", "hidden"); });
    this.draw();
  }
  colour(index) { return COLOURS[index % COLOURS.length]; }
  shown() { return this.section.rows.map((_, i) => i).filter((i) => this.rows[i].querySelector("input").checked); }
  x(time) {
    const times = this.section.times, span = times[times.length - 1] - times[0] || 1;
    return LEFT + (time - times[0]) / span * (W - LEFT - RIGHT);
  }
  y(value) { return H - BOTTOM - value / this.top * (H - TOP - BOTTOM); }
  draw() {
    const { times, life, rows, unit } = this.section, shown = this.shown();
    this.svg.replaceChildren();
    this.top = Math.max(...shown.flatMap((i) => rows[i].values), 1e-9) * 1.05;
    const by = step(this.top, unit === "bytes");
    for (let value = 0; value <= this.top; value += by) {
      make(this.svg, "line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: this.y(value), y2: this.y(value) });
      make(this.svg, "text", { x: LEFT - 8, y: this.y(value) + 4, "text-anchor": "end" }, amount(value, this.section));
    }
    const first = times[0], last = times[times.length - 1], wide = last - first > 20 * 3600;
    for (let i = 0; i <= 4; i++) {
      const time = first + (last - first) * i / 4;
      make(this.svg, "text", { x: this.x(time), y: H - 8, "text-anchor": ["start", "middle", "middle", "middle", "end"][i] }, clock(time, wide));
    }
    for (let i = 1; i < life.length; i++) if (life[i] !== life[i - 1]) {
      const x = this.x((times[i] + times[i - 1]) / 2);
      make(this.svg, "line", { class: "restart", x1: x, x2: x, y1: TOP, y2: H - BOTTOM });
      make(this.svg, "text", { x: x + 4, y: TOP + 10 }, "restart");
    }
    this.curves = new Map();
    for (const index of shown) {
      let path = "";
      rows[index].values.forEach((value, i) => {
        path += (i && life[i] === life[i - 1] ? "L" : "M") + this.x(times[i]).toFixed(1) + " " + this.y(Math.max(value, 0)).toFixed(1);
      });
      const curve = make(this.svg, "path", { class: "curve", d: path, stroke: this.colour(index) });
      make(curve, "title", {}, rows[index].name);
      this.curves.set(index, curve);
    }
    this.cursor = make(this.svg, "line", { class: "cursor", y1: TOP, y2: H - BOTTOM, visibility: "hidden" });
    this.rows.forEach((row, i) => row.classList.toggle("on", this.curves.has(i)));
  }
  light(index) {
    this.curves.forEach((curve, i) => {
      curve.classList.toggle("bold", i === index);
      curve.classList.toggle("dim", this.curves.has(index) && i !== index);
    });
  }
  point(event) {
    const box = this.svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * W;
    const times = this.section.times;
    let near = 0;
    times.forEach((time, i) => { if (Math.abs(this.x(time) - at) < Math.abs(this.x(times[near]) - at)) near = i; });
    this.cursor.setAttribute("x1", this.x(times[near]));
    this.cursor.setAttribute("x2", this.x(times[near]));
    this.cursor.setAttribute("visibility", "visible");
    const lines = [...this.curves.keys()].map((i) => this.section.rows[i]).sort((a, b) => b.values[near] - a.values[near]);
    tip.textContent = [new Date(times[near] * 1000).toLocaleString(), ...lines.map((row) => amount(row.values[near], this.section) + "  " + row.name)].join("\n");
    tip.hidden = false;
    tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = event.clientY + 14 + "px";
  }
}

const data = JSON.parse(document.getElementById("data").textContent);
const charts = data.map((section, index) => new Chart(section, document.getElementById("trend" + index)));
