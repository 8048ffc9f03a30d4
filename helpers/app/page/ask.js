// What the page asks of the room, and the words it says. Addresses are relative: the page works wherever a proxy puts it.

let texts = {};
let token = "";

export const say = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

export async function readTexts() {
  texts = await (await fetch("en.json")).json();
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = say(each.dataset.text);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", say(each.dataset.label));
  for (const each of document.querySelectorAll("[data-hint]")) each.placeholder = say(each.dataset.hint);
  document.title = `${say("brand")} · ${say("title")}`;
}

export class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

export async function ask(method, path, { json, file } = {}) {
  const headers = { "X-Session": token };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`api/${path}`, { method, headers, body: file ?? (json && JSON.stringify(json)), cache: "no-store" });
  } catch {
    throw new Refused(say("error.offline"), "error.offline");
  }
  if (answer.ok) return answer.status === 204 ? null : answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refused(told.error ?? say("error.offline"), told.code);
}

export const askJson = async (...given) => (await ask(...given)).json();

export const about = () => askJson("GET", "room");

export async function arrive(password) {
  const came = await askJson("POST", "session", { json: { password } });
  token = came.session;
  return came;
}

const shown = new Map();

// The address of a picture within this page: its bytes are fetched once, with the token, and kept.
export function picture(id) {
  if (!shown.has(id)) {
    const made = ask("GET", `pictures/${encodeURIComponent(id)}`).then((answer) => answer.blob()).then(URL.createObjectURL);
    made.catch(() => shown.delete(id));
    shown.set(id, made);
  }
  return shown.get(id);
}

export async function forget(id) {
  const known = shown.get(id);
  shown.delete(id);
  if (known) URL.revokeObjectURL(await known);
}

export function upload(file, kind, name, category = "upper") {
  const given = new URLSearchParams({ kind, name: name.replace(/\.\w+$/, ""), category });
  return askJson("POST", `pictures?${given}`, { file });
}

// A browser holds few connections to one place; those that wait for news take three of them at most.
let free = 3;
const line = [];
const enter = () => (free > 0 ? (free--, Promise.resolve()) : new Promise((go) => line.push(go)));
const leave = () => (line.length ? line.shift()() : free++);

// Follow a job until it is over; news(job) hears every change. Its result, or Refused.
export async function follow(job, news) {
  while (job.state === "waiting" || job.state === "running") {
    news(job);
    await enter();
    try {
      job = await askJson("GET", `jobs/${job.id}?after=${job.version}&wait=2`);
    } finally {
      leave();
    }
  }
  if (job.state !== "done") throw new Refused(job.error, job.code);
  return job.result;
}
