// The viewer of a call graph: pan, zoom, search, hover, and the callers and callees of a node.
// Names come from the profile and may hold anything: they are only ever put in as text.
"use strict";
(function () {
  const SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml", XLINK = "http://www.w3.org/1999/xlink";
  const LONGEST_SEARCHED = 4096, LONGEST_SHOWN = 2000; // characters of a name
  const svg = document.currentScript.closest("svg");
  const viewport = svg.querySelector("#viewport");
  const picture = svg.viewBox.baseVal;
  const size = { width: picture.width, height: picture.height };
  const view = { x: 0, y: 0, scale: 1 };

  // ---- The page: the whole window instead of the picture's own size.
  svg.removeAttribute("viewBox");
  svg.setAttribute("width", "100%");
  svg.setAttribute("height", "100%");
  svg.classList.add("live");

  function show() {
    viewport.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  }

  // The page's place in the window, and a point of an event in it.
  function room() {
    const box = svg.getBoundingClientRect();
    return { left: box.left, top: box.top, width: box.width || innerWidth, height: box.height || innerHeight };
  }

  function at(event) {
    const { left, top } = room();
    return [event.clientX - left, event.clientY - top];
  }

  function zoom(factor, x, y) {
    const scale = Math.min(40, Math.max(0.005, view.scale * factor)), ratio = scale / view.scale;
    view.x = x - (x - view.x) * ratio;
    view.y = y - (y - view.y) * ratio;
    view.scale = scale;
    show();
  }

  function pan(dx, dy) {
    view.x += dx;
    view.y += dy;
    show();
  }

  // The whole picture, beneath the bar; not larger than half as large again.
  function reset() {
    const margin = 12, top = 56, { width, height } = room();
    view.scale = Math.max(0.005, Math.min((width - 2 * margin) / size.width, (height - top - margin) / size.height, 1.5));
    view.x = (width - size.width * view.scale) / 2;
    view.y = top;
    show();
  }

  function middle() {
    const { width, height } = room();
    return [width / 2, height / 2];
  }

  // ---- The graph, as the attributes tell it.
  const nodes = [...svg.querySelectorAll("g.node[data-name]")];
  const edges = [...svg.querySelectorAll("g.edge[data-from]")];
  const byId = new Map();
  for (const node of svg.querySelectorAll("g.node")) byId.set(node.querySelector("title").textContent, node);
  for (const node of nodes) {
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "button");
    node.setAttribute("aria-label", `${node.dataset.name}, ${node.dataset.cum}`.slice(0, LONGEST_SHOWN));
  }
  // The hover box says it better than the browser's own tooltips, which stay where no script runs.
  const words = new Map();
  for (const link of svg.querySelectorAll("a")) {
    const group = link.closest("g.node, g.edge"), text = link.getAttributeNS(XLINK, "title");
    if (group && text && !words.has(group)) words.set(group, text);
    link.removeAttributeNS(XLINK, "title");
  }
  for (const title of [...svg.querySelectorAll("title")]) title.remove();

  // ---- Boxes of HTML.
  function box(name, parent, text) {
    const element = document.createElementNS(HTML, name);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  }

  function frame(width, height) {
    const element = document.createElementNS(SVG, "foreignObject");
    element.setAttribute("width", width);
    element.setAttribute("height", height);
    return svg.appendChild(element);
  }

  const barFrame = frame(430, 40), bar = box("div", barFrame);
  bar.className = "bar";
  const input = box("input", bar), count = box("span", bar, "");
  input.placeholder = "Search nodes (regexp), /";
  input.setAttribute("aria-label", "Search nodes by regular expression");
  input.spellcheck = false;
  for (const [label, title, action] of [
    ["−", "Zoom out (-)", () => zoom(1 / 1.3, ...middle())],
    ["+", "Zoom in (+)", () => zoom(1.3, ...middle())],
    ["Reset", "Show everything (0)", () => { clear(); reset(); }],
  ]) {
    const button = box("button", bar, label);
    button.title = title;
    button.addEventListener("click", action);
  }

  function place() {
    const whole = room().width, width = Math.min(430, whole - 16);
    barFrame.setAttribute("width", width);
    barFrame.setAttribute("x", Math.max(8, whole - width - 8));
    barFrame.setAttribute("y", 8);
  }

  // ---- Hover: the whole name and the values.
  const tipFrame = frame(560, 1), tip = box("div", tipFrame);
  tip.className = "tip";
  tipFrame.setAttribute("pointer-events", "none");
  tipFrame.style.display = "none";

  function shorten(text) {
    const half = LONGEST_SHOWN / 2;
    return text.length <= LONGEST_SHOWN ? text
      : `${text.slice(0, half)} … (${text.length} characters) … ${text.slice(-half)}`;
  }

  function say(group, x, y) {
    tip.textContent = "";
    const { name, flat, cum, from, to } = group.dataset, text = words.get(group) || "";
    const ends = [from, to].map((id) => byId.get(id)?.dataset.name);
    const value = /\(([^()]*)\)$/.exec(text);
    if (name !== undefined) {
      box("b", tip, shorten(name));
      box("span", tip, `flat ${flat}\ncum ${cum}`);
    } else if (value && ends[0] !== undefined && ends[1] !== undefined) {
      box("b", tip, `${shorten(ends[0])} → ${shorten(ends[1])}`);
      const dotted = group.querySelector("path")?.hasAttribute("stroke-dasharray");
      box("span", tip, value[1] + (dotted ? "\nthrough functions that are not shown" : ""));
    } else {
      box("span", tip, shorten(text));
    }
    tipFrame.style.display = "";
    const { width, height } = room();
    tipFrame.setAttribute("width", Math.min(560, width - 16));
    tipFrame.setAttribute("x", Math.max(8, Math.min(x + 14, width - tip.offsetWidth - 8)));
    const below = y + 18 + tip.offsetHeight < height;
    tipFrame.setAttribute("y", below ? y + 18 : Math.max(8, y - 12 - tip.offsetHeight));
  }

  function hush() {
    tipFrame.style.display = "none";
  }

  function groupOf(event) {
    const group = event.target.closest ? event.target.closest("g.node, g.edge") : null;
    return group && (group.dataset.name !== undefined || words.has(group)) ? group : null;
  }

  svg.addEventListener("pointermove", (event) => {
    const group = fingers.size ? null : groupOf(event);
    if (group) say(group, ...at(event));
    else hush();
  });
  svg.addEventListener("pointerleave", hush);
  svg.addEventListener("focusin", (event) => {
    const group = groupOf(event);
    if (!group || !group.matches(":focus-visible")) return;
    const box = group.getBoundingClientRect(), { left, top } = room();
    say(group, box.right - left, box.top - top);
  });
  svg.addEventListener("focusout", hush);

  // ---- Click: callers and callees.
  function unmark(...names) {
    for (const element of svg.querySelectorAll(names.map((name) => "." + name).join()))
      if (element.closest("#viewport")) element.classList.remove(...names);
  }

  function deselect() {
    svg.classList.remove("selecting");
    unmark("chosen", "caller", "callee");
  }

  function select(node) {
    const again = node.classList.contains("chosen");
    clear();
    if (again) return;
    svg.classList.add("selecting");
    node.classList.add("chosen");
    const id = node.dataset.id;
    for (const edge of edges) {
      const { from, to } = edge.dataset;
      const kind = to === id ? "caller" : from === id ? "callee" : "";
      if (!kind) continue;
      edge.classList.add(kind);
      const other = byId.get(kind === "caller" ? from : to);
      if (other && other !== node) other.classList.add(kind);
    }
  }

  // ---- Search.
  let found = [], current = -1;

  function unsearch() {
    svg.classList.remove("searching");
    unmark("found", "current");
    found = [];
    current = -1;
    count.textContent = "";
    input.classList.remove("bad");
  }

  function search() {
    const pattern = input.value;
    deselect();
    unsearch();
    if (!pattern) return;
    let regex;
    try {
      regex = new RegExp(pattern, pattern === pattern.toLowerCase() ? "i" : "");
    } catch (error) {
      input.classList.add("bad");
      count.textContent = "not a regexp";
      return;
    }
    svg.classList.add("searching");
    found = nodes.filter((node) => regex.test(node.dataset.name.slice(0, LONGEST_SEARCHED)));
    for (const node of found) node.classList.add("found");
    count.textContent = `${found.length} of ${nodes.length}`;
  }

  function step(by) {
    if (!found.length) return;
    if (current >= 0) found[current].classList.remove("current");
    current = (current + by + found.length) % found.length;
    found[current].classList.add("current");
    count.textContent = `${current + 1} of ${found.length}`;
    if (view.scale < 0.8) zoom(0.8 / view.scale, ...middle()); // to be read, not only seen
    const box = found[current].getBoundingClientRect(), { left, top } = room(), [x, y] = middle();
    pan(x + left - (box.left + box.right) / 2, y + top - (box.top + box.bottom) / 2);
  }

  function clear() {
    input.value = "";
    unsearch();
    deselect();
  }

  input.addEventListener("input", search);

  // ---- Wheel, drag, pinch, double click.
  const fingers = new Map();
  let moved = false;

  function finger(event) {
    const [x, y] = at(event);
    return { x, y };
  }

  function centre() {
    const points = [...fingers.values()], [a, b] = [points[0], points[points.length - 1]];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  }

  svg.addEventListener("wheel", (event) => {
    if (bar.contains(event.target)) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : event.deltaMode === 2 ? 300 : 1;
    // A pinch on a touch pad comes as a wheel with Ctrl, in small steps.
    const delta = Math.max(-300, Math.min(300, event.deltaY * lines * (event.ctrlKey ? 6 : 1)));
    zoom(Math.exp(-delta * 0.0015), ...at(event));
    hush();
  }, { passive: false });

  svg.addEventListener("pointerdown", (event) => {
    if (bar.contains(event.target) || (event.pointerType === "mouse" && event.button !== 0)) return;
    if (document.activeElement === input) input.blur();
    fingers.set(event.pointerId, finger(event));
    if (fingers.size === 1) moved = false;
  });

  addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId), now = finger(event);
    if (!last || fingers.size > 2) return;
    // Released outside of the window: nobody told us.
    if (event.pointerType === "mouse" && !event.buttons) return lift(event);
    if (!moved && Math.hypot(now.x - last.x, now.y - last.y) < 4) return;
    moved = true;
    svg.classList.add("dragging");
    const before = centre();
    fingers.set(event.pointerId, now);
    const after = centre();
    pan(after.x - before.x, after.y - before.y);
    if (before.apart > 0 && after.apart > 0) zoom(after.apart / before.apart, after.x, after.y);
  });

  function lift(event) {
    fingers.delete(event.pointerId);
    if (!fingers.size) svg.classList.remove("dragging");
  }
  addEventListener("pointerup", lift);
  addEventListener("pointercancel", lift);

  svg.addEventListener("click", (event) => {
    if (moved || bar.contains(event.target) || event.detail > 1) return;
    const group = groupOf(event);
    if (group && group.dataset.id) select(group);
    else if (!group) clear();
  });

  svg.addEventListener("dblclick", (event) => {
    if (bar.contains(event.target)) return;
    event.preventDefault();
    zoom(event.shiftKey ? 0.5 : 2, ...at(event));
  });

  // ---- Keyboard.
  const KEYS = {
    "+": () => zoom(1.3, ...middle()),
    "=": () => zoom(1.3, ...middle()),
    "-": () => zoom(1 / 1.3, ...middle()),
    "0": reset,
    Home: reset,
    ArrowLeft: () => pan(60, 0),
    ArrowRight: () => pan(-60, 0),
    ArrowUp: () => pan(0, 60),
    ArrowDown: () => pan(0, -60),
    "/": () => input.focus(),
    n: () => step(1),
    N: () => step(-1),
    Escape: clear,
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === input) {
      if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") {
        clear();
        input.blur();
      }
      return;
    }
    const node = event.target.closest && event.target.closest("g.node[data-id]");
    const action = node && (event.key === "Enter" || event.key === " ") ? () => select(node) : KEYS[event.key];
    if (!action || (bar.contains(event.target) && event.key !== "Escape")) return;
    event.preventDefault();
    action();
  });

  addEventListener("resize", place);
  place();
  reset();
})();
