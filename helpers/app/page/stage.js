// The mirror: a person, what they will lose, and before and after.

import { ask, picture, say } from "./ask.js";

const get = (id) => document.getElementById(id);
const mirror = get("mirror"), before = get("before"), after = get("after"), compare = get("compare"), canvas = get("mask");
const tags = document.querySelectorAll("#mirror .tag");
const BLUE = [43, 92, 214, 118], ON = "#15803d", OFF = "#c81e1e";
const STEP = 0.02;

let size = [3, 4], layer = null, points = [], cursor = null, correct = null, drawn = 0;

compare.addEventListener("input", slide);

function slide() {
  mirror.style.setProperty("--at", `${compare.value}%`);
  mirror.classList.toggle("whole", compare.value === "0" || compare.value === "100");
  tags[0].hidden = after.hidden || compare.value < 15;
  tags[1].hidden = after.hidden || compare.value > 85;
}

export async function showPerson(person) {
  size = [person.width ?? 768, person.height ?? 1024];
  before.src = await picture(person.id);
  before.alt = say("stage.person", { name: person.name });
  before.hidden = false;
  after.hidden = compare.hidden = true;
  mirror.classList.remove("empty", "compared");
  await before.decode().catch(() => {});
  size = [before.naturalWidth, before.naturalHeight];
  slide();
}

export async function showResult(person, result) {
  const [old, now] = await Promise.all([picture(person.id), picture(result.id)]);
  before.src = old;
  after.src = now;
  before.alt = say("stage.person", { name: person.name });
  after.alt = say("stage.result", { garment: result.garment });
  hideMask();
  before.hidden = after.hidden = compare.hidden = false;
  mirror.classList.remove("empty");
  mirror.classList.add("compared");
  compare.value = 0;
  slide();
}

export function empty() {
  hideMask();
  before.hidden = after.hidden = compare.hidden = true;
  mirror.className = "empty";
  slide();
}

export const busy = (is) => (get("busy").hidden = !is);

// Show a mask, white on black in a picture of the room, over the person.
export async function showMask(id, clicks) {
  const mine = ++drawn;
  const bits = await createImageBitmap(await (await ask("GET", `pictures/${id}`)).blob());
  if (mine !== drawn) return;
  layer = new OffscreenCanvas(bits.width, bits.height);
  const paper = layer.getContext("2d");
  paper.drawImage(bits, 0, 0);
  const pixels = paper.getImageData(0, 0, bits.width, bits.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data.set(pixels.data[at] > 127 ? BLUE : [0, 0, 0, 0], at);
  paper.putImageData(pixels, 0, 0);
  points = clicks;
  canvas.hidden = false;
  paint();
}

export function hideMask() {
  drawn++;
  layer = null;
  canvas.hidden = true;
  stopEditing();
}

function paint() {
  [canvas.width, canvas.height] = size;
  const paper = canvas.getContext("2d");
  if (layer) paper.drawImage(layer, 0, 0, ...size);
  const unit = size[1] / 100;
  for (const [x, y, on] of points) {
    paper.beginPath();
    paper.arc(x, y, 1.1 * unit, 0, 7);
    paper.fillStyle = on ? ON : OFF;
    paper.fill();
    paper.lineWidth = 0.35 * unit;
    paper.strokeStyle = "#fff";
    paper.stroke();
  }
  if (cursor) {
    paper.lineWidth = 0.3 * unit;
    paper.strokeStyle = "#fff";
    paper.strokeRect(cursor[0] - 2 * unit, cursor[1] - 2 * unit, 4 * unit, 4 * unit);
    paper.strokeStyle = "#000";
    paper.strokeRect(cursor[0] - 2.3 * unit, cursor[1] - 2.3 * unit, 4.6 * unit, 4.6 * unit);
  }
}

// From now on a tap or the keyboard corrects: add(x, y) in pixels of the picture, undo().
export function edit(add, undo) {
  correct = { add, undo };
  canvas.hidden = false;
  canvas.classList.add("editing");
  paint();
}

export function stopEditing() {
  correct = cursor = null;
  canvas.classList.remove("editing");
}

canvas.addEventListener("click", (event) => {
  if (!correct || event.detail === 0) return;
  const box = canvas.getBoundingClientRect();
  const scale = Math.min(box.width / size[0], box.height / size[1]);
  const x = (event.clientX - box.left - (box.width - scale * size[0]) / 2) / scale;
  const y = (event.clientY - box.top - (box.height - scale * size[1]) / 2) / scale;
  if (x >= 0 && y >= 0 && x < size[0] && y < size[1]) correct.add(x, y);
});

canvas.addEventListener("keydown", (event) => {
  if (!correct) return;
  cursor ??= [size[0] / 2, size[1] / 3];
  const by = STEP * size[1] * (event.shiftKey ? 0.2 : 1);
  const move = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
  if (move) cursor = cursor.map((v, axis) => Math.max(0, Math.min(size[axis] - 1, v + move[axis])));
  else if (event.key === "Enter" || event.key === " ") correct.add(...cursor);
  else if (event.key === "Backspace") correct.undo();
  else return;
  event.preventDefault();
  paint();
});
