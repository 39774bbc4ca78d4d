"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const unpack = (text, Kind) => {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
};
const xy = unpack(data.xy, Float32Array), n = xy.length / 2;
const columns = {};
for (const [key, value] of Object.entries(data.columns)) {
  columns[key] = { classes: value.classes, codes: unpack(value.codes, Uint16Array) };
}
const thumbnail = unpack(data.thumbnail, Int32Array);
const sheet = $("sheet"), perRow = 50, side = data.side;
const canvas = $("map"), stage = canvas.parentElement;
const context = canvas.getContext("2d", { alpha: false });

// Red and green as the field draws them; fakes are triangles, too, for whoever sees no hue.
const FIXED = { fake: ["#c1121f", 1], real: ["#1b8a4b", 0], "no cluster": ["#9aa3ab", 0] };
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#3f3fbf", "#56b4e9", "#7f3c00", "#b2182b", "#4d4d4d"];
const DOT = n > 8000 ? 6 : n > 1500 ? 7 : 9, CORNER = 11, MARGIN = 24;
let by = data.border, scale = 1, left = 0, top_ = 0, ratio = 1;
let chosen = null, lasso = null, looks = [], frame = 0, image = null, pixels = null;

function lookOf(name, number) {
  if (FIXED[name]) return FIXED[name];
  return [COLOURS[number % COLOURS.length], [0, 2, 3, 1][Math.floor(number / COLOURS.length) % 4]];
}

// One small picture per class, for the legend and for the corner of a thumbnail.
function stamp([colour, shape], side_ = DOT) {
  const dot = document.createElement("canvas"), size = side_ * ratio;
  dot.width = dot.height = Math.ceil(size);
  const c = dot.getContext("2d");
  c.fillStyle = colour;
  c.beginPath();
  if (shape === 1) { c.moveTo(size / 2, 0); c.lineTo(size, size); c.lineTo(0, size); }
  else if (shape === 2) c.rect(size * .12, size * .12, size * .76, size * .76);
  else if (shape === 3) { c.moveTo(size / 2, 0); c.lineTo(size, size / 2); c.lineTo(size / 2, size); c.lineTo(0, size / 2); }
  else c.arc(size / 2, size / 2, size * .44, 0, 7);
  c.fill();
  return dot;
}

// Which pixels of the map a dot covers, as steps in the array, and their colour, full and
// faint: writing them is ten times faster than the canvas copies 20,000 pictures.
function covered(dot) {
  const size = dot.width, values = dot.getContext("2d").getImageData(0, 0, size, size).data;
  const steps = [], middle = 4 * (Math.floor(size * .62) * size + Math.floor(size / 2));
  const [red, green, blue] = values.slice(middle, middle + 3);
  for (let at = 0; at < size * size; at++) {
    if (values[4 * at + 3] > 127) steps.push(Math.floor(at / size) * canvas.width + at % size);
  }
  const faint = [red, green, blue].map((value) => Math.round(255 - .14 * (255 - value)));
  const packed = ([r, g, b]) => (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  return { steps: Int32Array.from(steps), full: packed([red, green, blue]), faint: packed(faint), size };
}

function recolour() {
  looks = columns[by].classes.map((name, number) => {
    const look = lookOf(name, number), dot = stamp(look);
    return { look, dot: stamp(look, CORNER), ...covered(dot) };
  });
  const counts = new Uint32Array(looks.length);
  for (const code of columns[by].codes) counts[code]++;
  $("legend").replaceChildren(...columns[by].classes.map((name, number) => {
    const line = document.createElement("li"), mark = document.createElement("canvas");
    mark.width = mark.height = Math.ceil(CORNER * ratio);
    mark.style.width = mark.style.height = CORNER + "px";
    mark.getContext("2d").drawImage(looks[number].dot, 0, 0);
    line.append(mark, `${name || "(empty)"}: ${counts[number].toLocaleString("en")}`);
    return line;
  }));
}

const toX = (i) => left + xy[2 * i] * scale;
const toY = (i) => top_ + xy[2 * i + 1] * scale;

function draw() {
  frame = 0;
  const started = performance.now();
  const codes = columns[by].codes, width = canvas.width, height = canvas.height;
  const inside = [], room = sheet ? side * ratio / 2 : 0;
  pixels.fill(0xffffffff);
  for (let i = 0; i < n; i++) {
    const x = toX(i), y = toY(i);
    if (x > -room && y > -room && x < width + room && y < height + room) inside.push(i);
  }
  const showing = sheet && $("pictures").checked && inside.length <= 400;
  if (chosen) for (const i of inside) if (!chosen.has(i)) put(looks[codes[i]], i, true);
  for (const i of inside) if (!chosen || chosen.has(i)) put(looks[codes[i]], i, false);
  context.putImageData(image, 0, 0);
  if (showing) for (const i of inside) if (thumbnail[i] >= 0 && !(chosen && !chosen.has(i))) picture(i, codes[i]);
  if (lasso) outline();
  window.mapTimes.push(performance.now() - started);
  if (window.mapTimes.length > 1000) window.mapTimes.splice(0, 500);
}

function put({ steps, full, faint, size }, i, dim) {
  const x = Math.round(toX(i) - size / 2), y = Math.round(toY(i) - size / 2);
  if (x < 0 || y < 0 || x + size > canvas.width || y + size > canvas.height) return;
  const start = y * canvas.width + x, value = dim ? faint : full;
  for (let at = 0; at < steps.length; at++) pixels[start + steps[at]] = value;
}

function picture(i, code) {
  const size = side * ratio, x = toX(i) - size / 2, y = toY(i) - size / 2;
  const at = thumbnail[i], [colour, shape] = looks[code].look;
  context.drawImage(sheet, (at % perRow) * side, Math.floor(at / perRow) * side, side, side, x, y, size, size);
  context.strokeStyle = colour;
  context.lineWidth = 3 * ratio;
  context.strokeRect(x, y, size, size);
  if (!shape) return;
  const edge = CORNER * ratio;
  context.fillStyle = "#fff";
  context.fillRect(x + size - edge, y, edge, edge);
  context.drawImage(looks[code].dot, x + size - edge, y);
}

function outline() {
  context.strokeStyle = "#0b4a80";
  context.lineWidth = 2 * ratio;
  context.beginPath();
  lasso.forEach(([x, y], at) => at ? context.lineTo(x, y) : context.moveTo(x, y));
  context.closePath();
  context.stroke();
}

const redraw = () => { frame ||= requestAnimationFrame(draw); };

function resize() {
  ratio = Math.min(2, window.devicePixelRatio || 1);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  image = context.createImageData(canvas.width, canvas.height);
  pixels = new Uint32Array(image.data.buffer);
  recolour();
  whole();
}

function whole() {
  const room = MARGIN * ratio;
  scale = Math.max(1, Math.min(canvas.width, canvas.height) - 2 * room);
  left = (canvas.width - scale) / 2;
  top_ = (canvas.height - scale) / 2;
  redraw();
}

function zoom(factor, x, y) {
  const next = Math.min(Math.max(scale * factor, 100), 1e6);
  left = x - (x - left) * next / scale;
  top_ = y - (y - top_) * next / scale;
  scale = next;
  redraw();
}

function nearest(x, y) {
  let best = -1, far = (14 * ratio) ** 2;
  for (let i = 0; i < n; i++) {
    const dx = toX(i) - x, dy = toY(i) - y, d = dx * dx + dy * dy;
    if (d < far) { far = d; best = i; }
  }
  return best;
}

function tip(event) {
  const [x, y] = place(event), i = nearest(x, y), box = $("tip");
  box.hidden = i < 0;
  if (i < 0) return;
  const lines = Object.entries(columns).map(([key, { classes, codes }]) => `${key}: ${classes[codes[i]]}`);
  $("tip-text").textContent = [data.names[i], ...lines].join("\n");
  const small = $("tip-picture"), has = sheet && thumbnail[i] >= 0;
  small.hidden = !has;
  if (has) small.getContext("2d").drawImage(sheet, (thumbnail[i] % perRow) * side, Math.floor(thumbnail[i] / perRow) * side, side, side, 0, 0, 96, 96);
  const right = x / ratio > stage.clientWidth / 2, low = y / ratio > stage.clientHeight / 2;
  box.style.left = right ? "" : `${x / ratio + 14}px`;
  box.style.right = right ? `${stage.clientWidth - x / ratio + 14}px` : "";
  box.style.top = low ? "" : `${y / ratio + 14}px`;
  box.style.bottom = low ? `${stage.clientHeight - y / ratio + 14}px` : "";
}

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
};

function choose(which) {
  chosen = which;
  const list = which ? [...which] : [];
  $("count").textContent = which ? `${list.length.toLocaleString("en")} of ${n.toLocaleString("en")}` : "none";
  $("chosen").value = list.map((i) => data.names[i]).join("\n");
  redraw();
}

function within(polygon) {
  const inside = new Set();
  for (let i = 0; i < n; i++) {
    const x = toX(i), y = toY(i);
    let odd = false;
    for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
      const [ax, ay] = polygon[a], [bx, by_] = polygon[b];
      if ((ay > y) !== (by_ > y) && x < (bx - ax) * (y - ay) / (by_ - ay) + ax) odd = !odd;
    }
    if (odd) inside.add(i);
  }
  return inside;
}

function search() {
  const words = $("search").value.trim().toLowerCase();
  if (!words) return choose(null);
  const matches = Object.values(columns).map(({ classes, codes }) => {
    const good = classes.map((name) => name.toLowerCase().includes(words));
    return (i) => good[codes[i]];
  });
  const matching = new Set();
  for (let i = 0; i < n; i++) {
    if (data.names[i].toLowerCase().includes(words) || matches.some((match) => match(i))) matching.add(i);
  }
  choose(matching);
}

const touching = new Map();
let last = null;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  touching.set(event.pointerId, place(event));
  last = place(event);
  if (touching.size === 1 && ($("lasso").getAttribute("aria-pressed") === "true" || event.shiftKey)) lasso = [last];
  $("tip").hidden = true;
});
canvas.addEventListener("pointermove", (event) => {
  if (!touching.has(event.pointerId)) { tip(event); return; }
  const now = place(event);
  if (lasso) lasso.push(now);
  else if (touching.size === 2) {
    const [other] = [...touching].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
    const before = touching.get(event.pointerId);
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
    zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  } else { left += now[0] - last[0]; top_ += now[1] - last[1]; }
  touching.set(event.pointerId, now);
  last = now;
  redraw();
});
const release = (event) => {
  touching.delete(event.pointerId);
  if (lasso) { const polygon = lasso; lasso = null; choose(polygon.length > 2 ? within(polygon) : null); }
};
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), ...place(event));
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const step = 60 * ratio, middle = [canvas.width / 2, canvas.height / 2];
  const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (moves[event.key]) { left += moves[event.key][0]; top_ += moves[event.key][1]; redraw(); }
  else if (event.key === "+" || event.key === "=") zoom(1.25, ...middle);
  else if (event.key === "-") zoom(.8, ...middle);
  else if (event.key === "0") whole();
  else return;
  event.preventDefault();
});
$("by").addEventListener("change", () => { by = $("by").value; recolour(); redraw(); });
$("search").addEventListener("input", search);
$("pictures").addEventListener("change", redraw);
$("reset").addEventListener("click", () => { $("search").value = ""; choose(null); whole(); });
$("lasso").addEventListener("click", () => {
  const on = $("lasso").getAttribute("aria-pressed") !== "true";
  $("lasso").setAttribute("aria-pressed", String(on));
  canvas.classList.toggle("lassoing", on);
});
$("copy").addEventListener("click", () => { $("chosen").select(); document.execCommand("copy"); });
window.addEventListener("resize", resize);
if (sheet) sheet.addEventListener("load", redraw);
else $("pictures").parentElement.hidden = true;
window.mapTimes = [];
resize();
})();
