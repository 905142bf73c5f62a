// Files go up one by one in parts (docs/uploads.md): a cut costs one part, and what is here is not asked for
// again.  Without this file the form sends them in one request.
const form = document.querySelector("form[data-uploads]");
const field = form.querySelector("[type=file]");
const live = form.querySelector("[role=status]");
const says = form.dataset;
const list = document.querySelector("[data-files]");
const PART = 256 * 1024; // the most that the server takes at once
const PAUSE_MS = 10_000; // the longest
const KEPT_MS = 55 * 60_000; // a little less than the server keeps a file that is not whole, after a part
// By this the server knows the uploads of this page, whose answers may be lost, from those of who set the
// cookie before; it is in no cookie.
const headers = { "Page-Key": crypto.randomUUID?.() };
const jobs = new Set(); // files that are on their way in or out, or cannot be sent
let queue = Promise.resolve();
let timer; // until the list is asked for anew
let isKnown = "known" in list.dataset; // whether the list shows what the server has

class Stopped extends Error {} // for good; its message is for the person
class Cut extends Error {} // for now
const cut = () => { throw new Cut(); };

const hash = async (of) =>
  btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", await of.arrayBuffer()))));
const named = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt().toString(16)}`);

// -- what is seen

function tell(job, words) {
  if (job.state.textContent === words) return;
  job.state.textContent = words;
  live.textContent = `${job.file.name}: ${words}`;
}

function add(files) {
  for (const file of files) {
    const row = form.querySelector("template").content.firstElementChild.cloneNode(true);
    const [name, state, bar, why, out] = row.querySelectorAll(".name, .state, progress, .why, button");
    const job = { file, tries: 0, row, state, bar, why, out };
    name.textContent = bar.ariaLabel = file.name;
    out.ariaLabel = `${out.textContent} ${file.name}`;
    out.onclick = () => takeOut(job);
    bar.max = file.size;
    jobs.add(job);
    queue = queue.then(() => send(job));
  }
  show();
}

// The files that are on their way stand below those that are here.  Nobody goes on meanwhile: the page
// that sends them would be left.
function show() {
  for (const job of jobs) {
    list.querySelector(`[data-file="${job.id}"]`)?.remove();
    if (!job.row.isConnected) list.querySelector("ul").append(job.row);
  }
  clearTimeout(timer);
  // One that this page did not send is looked at by the server.
  if (list.querySelector("[data-file-state=examining]")) timer = setTimeout(() => refresh().catch(show), 2000);
  const next = list.querySelector("a.button");
  if (next) next.hidden = [...jobs].some((one) => one.isOut || !one.isFailed);
}

// The list as the server shows it, with what is done; focus stays.
async function refresh(done) {
  const answer = await fetch("/stamp", { headers }).catch(cut);
  if (answer.redirected) location = answer.url; // the line before buying
  const found = new DOMParser().parseFromString(await answer.text().catch(cut), "text/html")
    .querySelector("[data-files]") ?? cut(); // who is busy, or away, answers without a list
  jobs.delete(done);
  const at = document.activeElement, was = list.contains(at);
  list.replaceChildren(...found.childNodes);
  isKnown = true;
  show();
  if (was) (at.isConnected ? at : document.getElementById(at.id) ?? field).focus();
}

// -- what is sent

const rest = (job) =>
  new Promise((go) => {
    if (!job.isHere) tell(job, job.isOut ? says.leaving : says.again);
    setTimeout(go, Math.min(PAUSE_MS, 500 * 2 ** job.tries++) * (1 + Math.random()) / 2);
    addEventListener("online", go, { once: true });
    document.onvisibilitychange = go;
  });

// An answer to a request about a job; how much of a part has left is seen meanwhile.  Whose session has ended
// reads so on the page; no file begins then, which would be nobody's.
const call = (job, method, given, body) =>
  new Promise((go, broken) => {
    const request = job.request = new XMLHttpRequest();
    request.open(method, says.uploads + (job.id ? `/${job.id}` : ""));
    for (const name in given) request.setRequestHeader(name, given[name]);
    request.timeout = 60_000; // a part takes 33 s on the slowest line that is served
    request.responseType = "json";
    request.upload.onprogress = ({ loaded }) => { job.bar.value = job.offset + loaded; };
    // Without a status it was cut, took too long or was ended here.
    request.onloadend = ({ target: { status } }) =>
      status === 401 ? location.replace("/stamp") : status ? go(request) : broken(new Cut());
    request.send(body);
  });

// How the file of a job stands, after a request about it.
async function ask(job, method, own, body) {
  if (job.isOut) throw new Stopped();
  // The version of the draft, as it asks.
  const given = { ...headers, ...own, "Upload-Draft-Interop-Version": "8", Accept: "application/json" };
  const answer = await call(job, method, given, body);
  const { status, response: told } = answer;
  if (status === 204) return { state: "receiving", received: +answer.getResponseHeader("Upload-Offset") };
  if (status < 300) return told ?? cut();
  if (status === 404 && (!job.bar.value || Date.now() - job.sentAt > KEPT_MS)) {
    job.id = undefined; // of a file that nothing came of for a while nothing is left: it begins anew
    cut();
  }
  if (told?.code === "wait_in_line") location = "/stamp";
  if (
    // What passes: of these statuses, and faults of the server.
    (status >= 500 || [408, 409, 429].includes(status) || told?.code === "part_damaged_on_the_way") &&
    (answer.getResponseHeader("Retry-After") ?? 1) * 1000 <= PAUSE_MS
  ) cut();
  throw new Stopped(told?.title ?? says.failed);
}

async function sendPart(job, offset) {
  const { file } = job;
  const part = file.slice(offset, offset + PART, job.id ? "application/partial-upload" : file.type);
  const isLast = offset + PART >= file.size;
  tell(job, isLast ? says.checking : says.sending);
  job.bar.value = job.offset = offset;
  const found = await ask(job, job.id ? "PATCH" : "POST", {
    "Content-Digest": `sha-256=:${await hash(part)}:`,
    "Upload-Complete": `?${+isLast}`,
    ...(job.id ? { "Upload-Offset": offset } : {
      "Upload-Length": file.size,
      "Content-Disposition": `inline; filename*=UTF-8''${named(file.name)}`,
      "Repr-Digest": `sha-256=:${job.digest}:`,
    }),
  }, part);
  job.id ??= found.id;
  isKnown = true;
  job.tries = 0;
  job.sentAt = Date.now();
  return found;
}

// What the server found of the file, when all of it is there.
async function sent(job) {
  if (!job.id) {
    if (!isKnown) await refresh();
    // The upload of these very bytes, wherever it began; one that has ended by its name, so that what is
    // there twice is seen.
    const same = list.querySelector(`[data-digest="${job.digest}"]`);
    if (same?.dataset.fileState === "receiving" || same?.querySelector(".name").textContent === job.file.name)
      job.id = same.dataset.file;
    isKnown = false; // until an answer says what became of it
  }
  let found = job.id ? await ask(job, "GET") : { state: "receiving", received: 0 };
  show();
  while (found.state === "receiving") found = await sendPart(job, found.received);
  if (job.isOut) throw new Stopped();
  if (job.isHere = found.state === "examining") cut(); // looked at in a moment
  job.out.id = `out-${job.id}`; // as the list that comes has it
  if (found.goes_on && jobs.size === 1) {
    jobs.delete(job);
    location = "/stamp/place";
  } else await refresh(job);
  return found;
}

async function send(job) {
  const { file } = job;
  try {
    if (file.size > field.dataset.bytesMax) throw new Stopped(says.tooLarge);
    if (file.size && !(await file.slice(0, 1024).text()).includes("%PDF-")) throw new Stopped(says.notPdf);
    job.digest = await hash(file);
    let found;
    while (!(found = await sent(job).catch((broken) => { if (!(broken instanceof Cut)) throw broken; }))) await rest(job);
    tell(job, found.why ?? says.ready);
  } catch (broken) {
    if (job.isOut) return job.request && leave(job); // whoever comes next finds it gone
    job.isFailed = true;
    job.bar.remove();
    tell(job, says.failed);
    job.state.className = "state failed";
    live.textContent = job.why.textContent = broken instanceof Stopped ? broken.message : says.unreadable;
    show();
  }
  if (job.isOut) await leave(job); // in the last moment
}

async function forget(job) {
  const answer = job.id && await call(job, "DELETE");
  if (answer && answer.status > 299 && answer.status !== 404) cut();
  await refresh(job);
  live.textContent = says.takenOut;
  return true;
}

// What was taken out does not come back: it is said again until it is answered, and nobody goes on before.
async function leave(job) {
  while (!(await forget(job).catch(() => {}))) await rest(job);
}

function takeOut(job) {
  job.isOut = true;
  job.tries = 0;
  field.focus();
  if (job.id || job.request) {
    tell(job, says.leaving);
    job.request?.abort();
    if (job.isFailed) leave(job);
  } else {
    jobs.delete(job); // nothing of it has left this device
    job.row.remove();
  }
  show();
}

// -- what is done

// Over plain HTTP a browser has no digests: there the form sends the files in one request.  So it does where
// no cookies are kept, which the page after it tells.
if (crypto.subtle && navigator.cookieEnabled) {
  field.onchange = () => {
    add(field.files);
    field.value = ""; // so that the same file can be chosen once more
  };
  form.onsubmit = window.ondragover = (event) => event.preventDefault();
  form.querySelector("button:not([type])").hidden = true;
  list.onsubmit = (event) => {
    const row = event.target.closest("[data-file]");
    const [name, state] = row.querySelectorAll(".name, .state");
    const job = { id: row.dataset.file, file: { name: name.textContent }, row, state, isFailed: true };
    event.preventDefault();
    jobs.add(job);
    takeOut(job);
  };
  // Whoever comes back from where it went on sees what the server has.
  addEventListener("pageshow", ({ persisted }) => persisted ? refresh().catch(show) : show());
  window.ondrop = (event) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  };
}
