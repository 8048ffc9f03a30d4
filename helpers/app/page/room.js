// Who tries on what. Everything that came from outside is shown as text, never as markup.

import { about, arrive, ask, askJson, follow, forget, picture, readTexts, say, upload } from "./ask.js";
import * as stage from "./stage.js";

const get = (id) => document.getElementById(id);
const state = { person: null, garments: new Map(), chosen: [], masks: new Map(), tried: [], shown: null, engines: [], room: null, running: new Set(), editing: false };
let password = new URLSearchParams(location.hash.slice(1)).get("password") ?? "";
if (password) history.replaceState(null, "", location.pathname + location.search);

// ------------------------------------------------------------------------------------------------------------ saying

const alertOf = (error) => {
  get("alert").textContent = error?.message ?? "";
  if (error) tell("");
  if (error?.code === "error.nosession") begin().catch(() => {});
};
const tell = (text) => (get("status").textContent = text);

// Do something that may be refused; what is said then stands in the bar.
async function attempt(work) {
  alertOf(null);
  try {
    return await work();
  } catch (error) {
    if (error.code !== "error.cancelled") alertOf(error);
    else tell(say("state.cancelled"));
    return null;
  }
}

function news(job) {
  const bar = get("progress");
  tell(job.state === "waiting" ? say("state.waiting", { position: job.position }) : job.doing);
  if (job.total) [bar.max, bar.value] = [job.total, job.step];
  else bar.removeAttribute("value");
}

// A job from its beginning to its result, with the bar's progress and its cancelling.
async function run(path, wanted) {
  const job = await askJson("POST", path, { json: wanted });
  state.running.add(job.id);
  busy();
  try {
    return await follow(job, news);
  } finally {
    state.running.delete(job.id);
    busy();
  }
}

function busy() {
  const is = state.running.size > 0;
  get("progress").hidden = get("cancel").hidden = !is;
  stage.busy(is);
}

get("cancel").addEventListener("click", () =>
  attempt(async () => {
    await Promise.all([...state.running].map((id) => ask("DELETE", `jobs/${id}`)));
    get("go").focus();
  }),
);

// ------------------------------------------------------------------------------------------------------------ cards

async function card(piece, press) {
  const button = document.createElement("button"), image = document.createElement("img"), name = document.createElement("span");
  button.type = "button";
  button.className = "card";
  button.dataset.id = piece.id;
  button.setAttribute("aria-pressed", "false");
  image.alt = "";
  image.decoding = "async";
  name.className = "name";
  name.textContent = piece.name;
  button.setAttribute("aria-label", piece.name);
  button.append(image, name);
  button.addEventListener("click", () => press(piece, button));
  image.src = await picture(piece.id);
  return button;
}

async function hang(list, piece, press, first) {
  const item = document.createElement("li");
  item.dataset.category = piece.category ?? "";
  const fixed = [...list.children].filter((each) => !each.dataset.id).length;
  item.dataset.id = piece.id;
  list.insertBefore(item, first ? list.children[fixed] : null);
  item.append(await card(piece, press));
  return item;
}

const cards = (list) => get(list).querySelectorAll(".card");

// ------------------------------------------------------------------------------------------------------------ who

async function choosePerson(person) {
  state.person = person;
  state.masks.clear();
  state.shown = null;
  for (const each of cards("people")) each.setAttribute("aria-pressed", String(each.dataset.id === person.id));
  get("about").hidden = true;
  mark();
  ready();
  stage.hideMask();
  stopEditing();
  await stage.showPerson(person);
  await findMask();
}

async function takePerson(file, name) {
  tell(say("state.reading"));
  const person = await attempt(() => upload(file, "person", name));
  tell("");
  if (!person) return;
  await hang(get("people"), person, choosePerson, true);
  await choosePerson(person);
}

get("person-file").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  if (file) await takePerson(file, file.name);
  event.target.value = "";
});

get("person-words").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await attempt(() => run("drawings", { kind: "person", words: get("person-text").value, seed: seed() }));
  if (!made) return;
  await hang(get("people"), made.picture, choosePerson, true);
  await choosePerson(made.picture);
  tell(made.picture.notes.join(" "));
});

// The camera: a picture of it is an upload like any other.
let stream = null;
get("camera-open").addEventListener("click", async () => {
  alertOf(null);
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", height: { ideal: 1440 } } });
  } catch (error) {
    alertOf(new Error(say("camera.none", { why: error.name })));
    return;
  }
  get("video").srcObject = stream;
  get("camera").showModal();
});
get("camera-take").addEventListener("click", async () => {
  const video = get("video"), shot = document.createElement("canvas");
  [shot.width, shot.height] = [video.videoWidth, video.videoHeight];
  shot.getContext("2d").drawImage(video, 0, 0);
  const file = await new Promise((done) => shot.toBlob(done, "image/jpeg", 0.95));
  get("camera").close();
  await takePerson(file, say("camera.name"));
});
get("camera-close").addEventListener("click", () => get("camera").close());
get("camera").addEventListener("close", () => {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = get("video").srcObject = null;
});

// ------------------------------------------------------------------------------------------------------------ mask

const category = () => state.garments.get(state.chosen[0])?.category ?? "upper";

// What will be replaced, for the kind of garment that is chosen first: found once, corrected by clicks.
async function findMask(points = state.masks.get(category())?.points ?? []) {
  const { person } = state, kind = category(), known = state.masks.get(kind);
  if (!person) return;
  get("edit").hidden = state.editing;
  if (known && known.points === points) {
    if (!state.shown) await stage.showMask(known.id, points);
    return;
  }
  const made = await attempt(() => run("masks", { person: person.id, category: kind, points }));
  if (state.person !== person || !made) return;
  state.masks.set(kind, { id: made.mask.id, points });
  if (category() !== kind || state.shown) return;
  await stage.showMask(made.mask.id, points);
  tell(say("mask.ready", { share: `${Math.round(made.mask.share * 1000) / 10} %` }));
}

const clicks = () => state.masks.get(category())?.points ?? [];
const side = () => Number(document.querySelector("[name=side]:checked").value);

function addPoint(x, y) {
  const points = [...clicks(), [Math.round(x), Math.round(y), side()]];
  tell(say("mask.point", { number: points.length, x: Math.round(x), y: Math.round(y) }));
  findMask(points);
}

const undo = () => clicks().length && findMask(clicks().slice(0, -1));

get("edit").addEventListener("click", async () => {
  state.shown = null;
  state.editing = true;
  get("about").hidden = get("edit").hidden = true;
  get("tools").hidden = false;
  await stage.showPerson(state.person);
  mark();
  const known = state.masks.get(category());
  if (known) await stage.showMask(known.id, known.points);
  stage.edit(addPoint, undo);
  get("mask").focus();
});
get("undo").addEventListener("click", undo);
get("reset").addEventListener("click", () => findMask([]));
get("done").addEventListener("click", () => {
  stopEditing();
  get("go").focus();
});

function stopEditing() {
  state.editing = false;
  stage.stopEditing();
  get("tools").hidden = true;
  get("edit").hidden = !state.person;
}

// ------------------------------------------------------------------------------------------------------------ wall

function chooseGarment(piece) {
  const at = state.chosen.indexOf(piece.id);
  if (at >= 0) state.chosen.splice(at, 1);
  else state.chosen.push(piece.id);
  for (const each of cards("garments")) each.setAttribute("aria-pressed", String(state.chosen.includes(each.dataset.id)));
  ready();
  if (!state.shown && !state.running.size) findMask();
}

async function hangGarment(piece, first) {
  state.garments.set(piece.id, piece);
  await hang(get("garments"), piece, chooseGarment, first);
  if (first) chooseGarment(piece);
}

get("garment-file").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  tell(say("state.reading"));
  const garment = file && (await attempt(() => upload(file, "garment", file.name, get("garment-category").value)));
  tell("");
  if (garment) await hangGarment(garment, true);
  event.target.value = "";
});

get("garment-words").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await attempt(() => run("drawings", { kind: "garment", words: get("garment-text").value, seed: seed() }));
  if (!made) return;
  await hangGarment(made.picture, true);
  tell(made.picture.notes.join(" "));
});

get("filters").addEventListener("change", (event) => {
  for (const item of get("garments").children)
    item.hidden = Boolean(event.target.value && item.dataset.id && item.dataset.category !== event.target.value);
});

const seed = () => Number(get("seed").value) || 0;

get("engine").addEventListener("change", terms);
function terms() {
  const engine = state.engines.find((each) => each.name === get("engine").value);
  get("terms").textContent = `${engine.summary}. ${say("engine.terms", { licence: engine.licence })}`;
}

// ------------------------------------------------------------------------------------------------------------ trying on

function ready() {
  const count = state.chosen.length, go = get("go");
  go.disabled = !(state.person && count);
  go.textContent = !state.person ? say("go.who") : !count ? say("go.what") : count > 1 ? say("go.many", { count }) : say("go");
}

get("go").addEventListener("click", async () => {
  alertOf(null);
  stopEditing();
  const { person } = state;
  await Promise.all(state.chosen.map((id) => tryOn(person, state.garments.get(id))));
});

async function tryOn(person, garment) {
  const entry = { person, garment, picture: null, error: "" };
  state.tried.unshift(entry);
  strip();
  try {
    const mask = state.person === person ? (state.masks.get(garment.category)?.id ?? "") : "";
    const made = await run("tryons", { person: person.id, garment: garment.id, mask, engine: get("engine").value, seed: seed() });
    entry.picture = made.picture;
    if (!state.tried.includes(entry)) return;
    tell(say("state.done", { name: garment.name }));
    await show(entry);
  } catch (error) {
    if (error.code === "error.cancelled") {
      state.tried = state.tried.filter((each) => each !== entry);
      tell(say("state.cancelled"));
    } else {
      entry.error = error.message;
      alertOf(error);
    }
  }
  strip();
}

async function show(entry) {
  state.shown = entry;
  const { picture: made, person } = entry;
  await stage.showResult(person, made);
  stopEditing();
  get("edit").hidden = person !== state.person;
  get("worn").textContent = say("stage.result", { garment: made.garment });
  const notes = made.notes.length ? made.notes : [say("result.none")];
  get("notes").replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  const parts = [say("result.about", made)];
  if (!made.commercial) parts.push(say("result.noncommercial"));
  if (made.confidence !== null) parts.push(say("result.confidence", { share: `${Math.round(made.confidence * 100)} %` }));
  get("made").textContent = parts.join(" ");
  get("download").href = await picture(made.id);
  get("download").download = `${made.garment.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60) || "atelier"}.png`;
  get("about").hidden = false;
  mark();
}

// Everything that was tried on, newest first.
function strip() {
  get("tried").hidden = state.tried.length === 0;
  get("history").replaceChildren(
    ...state.tried.map((entry) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.className = entry.error ? "card failed" : "card";
      button.setAttribute("aria-label", say("history.show", { name: entry.garment.name }));
      if (entry.picture) {
        const image = document.createElement("img");
        image.alt = "";
        picture(entry.picture.id).then((address) => (image.src = address), () => {});
        button.append(image);
        button.addEventListener("click", () => attempt(() => show(entry)));
      } else {
        const waits = document.createElement("span");
        waits.className = "waits";
        waits.textContent = entry.error ? "✕" : "…";
        button.title = entry.error;
        button.append(waits);
        button.addEventListener("click", () => alertOf(entry.error ? new Error(entry.error) : null));
      }
      entry.button = button;
      item.append(button);
      return item;
    }),
  );
  mark();
}

function mark() {
  for (const entry of state.tried) entry.button?.setAttribute("aria-current", String(entry === state.shown));
}

get("keep").addEventListener("click", async () => {
  const { picture: made } = state.shown;
  state.chosen = [];
  for (const each of cards("garments")) each.setAttribute("aria-pressed", "false");
  await choosePerson({ ...made, name: say("stage.result", { garment: made.garment }) });
  tell(say("result.kept"));
});

get("remove").addEventListener("click", () =>
  attempt(async () => {
    const entry = state.shown;
    await ask("DELETE", `pictures/${entry.picture.id}`);
    forget(entry.picture.id);
    state.tried = state.tried.filter((each) => each !== entry);
    state.shown = null;
    get("about").hidden = true;
    strip();
    if (state.person?.id === entry.picture.id) state.person = null;
    if (state.person) await stage.showPerson(state.person);
    else stage.empty();
    ready();
  }),
);

get("leave").addEventListener("click", () =>
  attempt(async () => {
    await ask("DELETE", "session");
    await begin();
    tell(say("left"));
  }),
);

// ------------------------------------------------------------------------------------------------------------ coming in

async function come() {
  try {
    return await arrive(password);
  } catch (error) {
    if (error.code !== "error.password") throw error;
    const wrong = password !== "";
    password = await new Promise((done) => {
      get("enter-alert").textContent = wrong ? error.message : "";
      get("enter-form").onsubmit = (event) => {
        event.preventDefault();
        get("enter").close();
        done(get("password").value);
      };
      get("enter").oncancel = (event) => event.preventDefault();
      get("password").value = "";
      get("enter").showModal();
    });
    return come();
  }
}

async function begin() {
  const came = await come();
  Object.assign(state, { person: null, chosen: [], tried: [], shown: null, engines: came.engines, editing: false });
  state.masks.clear();
  state.garments.clear();
  for (const list of ["people", "garments"]) for (const item of [...get(list).children]) if (item.dataset.id) item.remove();
  stage.empty();
  stopEditing();
  get("about").hidden = true;
  strip();
  ready();
  get("engine").replaceChildren(...came.engines.map((each) => new Option(each.name, each.name)));
  terms();
  await Promise.all(
    came.stock.map((piece) => (piece.kind === "person" ? hang(get("people"), piece, choosePerson) : hangGarment(piece))),
  );
  document.body.dataset.ready = "true";
}

await readTexts();
state.room = await about();
get("privacy").textContent = say("privacy", { minutes: state.room.minutes });
await attempt(begin);
