// Files go up one by one in parts (docs/uploads.md): a cut costs one part, and what is here is not asked for
// again.  Without this file the form sends them in one request.
const form = document.querySelector("form[data-uploads]");
const field = form.querySelector("[type=file]");
const live = form.querySelector("[role=status]");
const says = form.dataset;
const list = document.querySelector("[data-files]");
const PART = 256 * 1024; // the most that the server takes at once
const PART_MS = 60_000; // 256 KB on the slowest line that is served take 33 s
const PAUSE_MS = 10_000; // the longest
const VERSION = { "Upload-Draft-Interop-Version": "8" }; // of the draft, as it asks
const AS_JSON = { Accept: "application/json" };
const jobs = [];
let running;

const latin1 = async (blob) => new TextDecoder("latin1").decode(await blob.arrayBuffer());
const hash = async (blob) =>
  btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))));
const named = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt().toString(16)}`);
const make = (kind, facts, ...children) => {
  const made = Object.assign(document.createElement(kind), facts);
  made.append(...children);
  return made;
};
const row = (path) => path && list.querySelector(`[data-file="${path.split("/").pop()}"]`);
const shown = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

class Stopped extends Error {} // for good; its message is for the person
class Cut extends Error {} // for now

// -- what is seen

function tell(job, words, kind = "waiting") {
  if (job.state.textContent === words) return;
  job.state.textContent = words;
  job.state.className = `state ${kind}`;
  live.textContent = `${job.file.name}: ${words}`;
}

function put(job) {
  let rows = list.querySelector("ul");
  if (!rows) list.prepend((rows = make("ul", { className: "documents" })));
  rows.append(job.row);
}

function add(files) {
  for (const file of files) {
    const { name, size } = file;
    const job = { file, tries: 0 };
    const out = make("button", { type: "button", className: "link", ariaLabel: `${says.takeOut} ${name}` }, says.takeOut);
    out.onclick = () => takeOut(job);
    job.state = make("span", { className: "state waiting" }, says.waiting);
    job.bar = make("progress", { max: size || 1, value: 0, ariaLabel: name });
    job.why = make("p", {});
    job.row = make("li", { className: "document" }, make("p", { className: "what name" }, name), make("p", {}, job.state), job.bar, job.why, out);
    jobs.push(job);
    put(job);
  }
  offer();
  run();
}

// Nobody goes on while files are on their way: the page that sends them would be left.
const offer = () => {
  const next = list.querySelector("a.button");
  if (next) next.hidden = jobs.some((one) => !one.isFailed);
};

function end(job) {
  job.isOver = true;
  jobs.splice(jobs.indexOf(job), 1);
  if (job.row.contains(document.activeElement)) field.focus();
  job.row.remove();
  offer();
}

// The list as the server shows it, with the files that are still on their way; focus stays.
async function refresh() {
  const answer = await fetch("/stamp");
  if (answer.redirected) location = answer.url; // the line before buying
  const fresh = (await shown(answer)).querySelector("[data-files]");
  const focused = document.activeElement;
  const at = focused.closest("[data-file]")?.dataset.file;
  const was = list.contains(focused);
  list.replaceChildren(...fresh.childNodes);
  for (const job of jobs) {
    row(job.path)?.remove();
    put(job);
  }
  offer();
  if (was) (focused.isConnected ? focused : (row(at) ?? list).querySelector("button, a.button") ?? field).focus();
}

// -- what is sent

const rest = (job) =>
  new Promise((go) => {
    setTimeout(go, Math.min(PAUSE_MS, 500 * 2 ** job.tries++) * (0.5 + Math.random() / 2));
    addEventListener("online", go, { once: true });
    document.addEventListener("visibilitychange", go, { once: true });
  });

async function ask(job, method, path, headers, body) {
  if (job.isOver) throw new Stopped();
  job.request = new AbortController();
  const timer = setTimeout(() => job.request.abort(), PART_MS);
  try {
    const answer = await fetch(path, { method, body, headers: { ...VERSION, ...headers }, signal: job.request.signal });
    if (answer.ok || answer.status === 409) return answer;
    if (answer.status === 404 && path === job.path && !job.bar.value) {
      job.path = undefined; // of a file that nothing came of for a while nothing is left: it begins anew
      throw new Cut();
    }
    const { code, title } = await answer.json().catch(() => ({}));
    if (code === "wait_in_line") location = "/stamp";
    const isSoon = (answer.headers.get("Retry-After") ?? 1) * 1000 <= PAUSE_MS;
    if (isSoon && (answer.status >= 500 || [408, 429].includes(answer.status) || code === "part_damaged_on_the_way")) throw new Cut();
    throw new Stopped(title ?? says.failed);
  } catch (broken) {
    throw broken instanceof Stopped ? broken : new Cut();
  } finally {
    clearTimeout(timer);
  }
}

// The unfinished upload of these very bytes, wherever it began.
async function unfinished(job) {
  const page = await shown(await ask(job, "GET", "/stamp"));
  for (const { dataset } of page.querySelectorAll("[data-file-state=receiving]")) {
    const path = `${says.uploads}/${dataset.file}`;
    const { digest } = await (await ask(job, "GET", path, AS_JSON)).json();
    if (digest === job.digest && !jobs.some((one) => one.path === path)) return path;
  }
}

async function begun(job) {
  const path = await unfinished(job);
  row(path)?.remove();
  if (path) return path;
  const answer = await ask(job, "POST", says.uploads, {
    "Upload-Complete": "?0",
    "Upload-Length": job.file.size,
    "Content-Disposition": `inline; filename*=UTF-8''${named(job.file.name)}`,
    "Repr-Digest": `sha-256=:${job.digest}:`,
  });
  return answer.headers.get("Location");
}

// What the server found of the file, when all of it is there.
async function sent(job) {
  const { file } = job;
  job.path ??= await begun(job);
  tell(job, says.sending);
  let answer = await ask(job, "HEAD", job.path);
  while (answer.headers.get("Upload-Complete") !== "?1") {
    const offset = Number(answer.headers.get("Upload-Offset"));
    const part = file.slice(offset, offset + PART);
    const isLast = offset + part.size === file.size;
    job.bar.value = offset;
    if (isLast) tell(job, says.checking);
    answer = await ask(job, "PATCH", job.path, {
      "Content-Type": "application/partial-upload",
      "Content-Digest": `sha-256=:${await hash(part)}:`,
      "Upload-Offset": offset,
      "Upload-Complete": isLast ? "?1" : "?0",
    }, part);
    job.tries = 0;
  }
  job.bar.value = file.size;
  const found = await (await ask(job, "GET", job.path, AS_JSON)).json();
  if (found.state === "examining") throw new Cut(); // looked at in a moment
  return found;
}

async function send(job) {
  const { file } = job;
  try {
    if (file.size > field.dataset.bytesMax) throw new Stopped(says.tooLarge);
    if (!(await latin1(file.slice(0, 1024))).includes("%PDF-")) throw new Stopped(says.notPdf);
    if ((await latin1(file.slice(-2048))).includes("/Encrypt")) job.why.textContent = says.encrypted; // the server decides
    job.digest = await hash(file);
    for (;;) {
      try {
        const { why } = await sent(job);
        const was = job.row.contains(document.activeElement);
        end(job);
        live.textContent = `${file.name}: ${why ?? says.ready}`;
        await refresh().catch(() => location.reload());
        if (was) row(job.path)?.querySelector("button").focus();
        return;
      } catch (broken) {
        if (!(broken instanceof Cut)) throw broken;
        if (!navigator.onLine) tell(job, says.offline);
        await rest(job);
      }
    }
  } catch (broken) {
    if (job.isOver) return;
    job.isFailed = true;
    job.bar.remove();
    offer();
    tell(job, says.failed, "failed");
    live.textContent = job.why.textContent = broken instanceof Stopped ? broken.message : says.unreadable;
  }
}

async function run() {
  if (running) return;
  running = true;
  for (let job; (job = jobs.find((one) => !one.isTried)); ) {
    job.isTried = true;
    await send(job);
  }
  running = false;
}

async function forget(path) {
  field.focus();
  const answer = await fetch(path, { method: "DELETE" });
  if (!answer.ok && answer.status !== 404) throw new Cut();
  live.textContent = says.takenOut;
}

function takeOut(job) {
  end(job);
  job.request?.abort();
  if (job.path) forget(job.path).catch(() => location.reload());
}

// -- what is done

// Over plain HTTP a browser has no digests: there the form sends the files in one request.
if (crypto.subtle) {
  field.onchange = () => {
    add([...field.files]);
    field.value = ""; // so that the same file can be chosen once more
  };
  form.onsubmit = (event) => event.preventDefault();
  form.querySelector("button:not([type])").hidden = true;
  list.addEventListener("submit", (event) => {
    const taken = event.target.closest("[data-file]");
    if (!taken) return;
    event.preventDefault();
    forget(`${says.uploads}/${taken.dataset.file}`).then(refresh).catch(() => location.reload());
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}
