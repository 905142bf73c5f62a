// Uploads files one by one in parts (docs/uploads.md): a broken connection loses one part, and a stored part is not
// sent again.  Without this script the form sends all files in one request.
const form = document.querySelector("form[data-uploads]");
const field = form.querySelector("[type=file]");
const live = form.querySelector("[role=status]");
const says = form.dataset;
const list = document.querySelector("[data-files]");
const PART = 256 * 1024; // bytes: the largest part that the server accepts
const PAUSE_MS = 10_000; // the longest pause between two tries
const KEPT_MS = 55 * 60_000; // a little less than the server keeps an unfinished file after its last part
// The page key distinguishes uploads of this page, whose answers may be lost, from uploads of anybody who set the
// cookie before.  It is in no cookie.
const headers = { "Page-Key": crypto.randomUUID?.() };
const jobs = new Set(); // files that are being uploaded or taken out, or that failed
let queue = Promise.resolve();
let timer; // of the next request for the list
let isKnown = "known" in list.dataset; // whether the list shows what the server has

class Stopped extends Error {} // a permanent failure; its message is shown to the visitor
class Cut extends Error {} // a temporary failure, after which the file is tried again
const cut = () => { throw new Cut(); };

const hash = async (of) =>
  btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", await of.arrayBuffer()))));
const named = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt().toString(16)}`);

// -- display

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

// Files that are being uploaded stand below those that the server has.  The link to the next step is hidden meanwhile:
// leaving the page would stop the uploads.
function show() {
  for (const job of jobs) {
    list.querySelector(`[data-file="${job.id}"]`)?.remove();
    if (!job.row.isConnected) list.querySelector("ul").append(job.row);
  }
  clearTimeout(timer);
  // The server examines a file that this page did not send: ask for the list again.
  if (list.querySelector("[data-file-state=examining]")) timer = setTimeout(() => refresh().catch(show), 2000);
  const next = list.querySelector("a.button");
  if (next) next.hidden = [...jobs].some((one) => one.isOut || !one.isFailed);
}

// Replaces the list by the server's, with the finished job removed; the focus stays.
async function refresh(done) {
  const answer = await fetch("/stamp", { headers }).catch(cut);
  if (answer.redirected) location = answer.url; // the line before buying
  const found = new DOMParser().parseFromString(await answer.text().catch(cut), "text/html")
    .querySelector("[data-files]") ?? cut(); // a busy or unavailable server answers without a list
  jobs.delete(done);
  const at = document.activeElement, was = list.contains(at);
  list.replaceChildren(...found.childNodes);
  isKnown = true;
  show();
  if (was) (at.isConnected ? at : document.getElementById(at.id) ?? field).focus();
}

// -- requests

const rest = (job) =>
  new Promise((go) => {
    if (!job.isHere) tell(job, job.isOut ? says.leaving : says.again);
    setTimeout(go, Math.min(PAUSE_MS, 500 * 2 ** job.tries++) * (1 + Math.random()) / 2);
    addEventListener("online", go, { once: true });
    document.onvisibilitychange = go;
  });

// Sends a request about a job and returns its answer; the bar shows the progress.  After the end of a session the page
// is loaded again, which says so: a new file would belong to no account.
const call = (job, method, given, body) =>
  new Promise((go, broken) => {
    const request = job.request = new XMLHttpRequest();
    request.open(method, says.uploads + (job.id ? `/${job.id}` : ""));
    for (const name in given) request.setRequestHeader(name, given[name]);
    request.timeout = 60_000; // a part takes 33 s on the slowest connection that is supported
    request.responseType = "json";
    request.upload.onprogress = ({ loaded }) => { job.bar.value = job.offset + loaded; };
    // Without a status the connection broke, the request took too long, or this script aborted it.
    request.onloadend = ({ target: { status } }) =>
      status === 401 ? location.replace("/stamp") : status ? go(request) : broken(new Cut());
    request.send(body);
  });

// Sends a request about a job and returns the state of its file.
async function ask(job, method, own, body) {
  if (job.isOut) throw new Stopped();
  // The specification, still a draft, requires its version.
  const given = { ...headers, ...own, "Upload-Draft-Interop-Version": "8", Accept: "application/json" };
  const answer = await call(job, method, given, body);
  const { status, response: told } = answer;
  if (status === 204) return { state: "receiving", received: +answer.getResponseHeader("Upload-Offset") };
  if (status < 300) return told ?? cut();
  if (status === 404 && (!job.bar.value || Date.now() - job.sentAt > KEPT_MS)) {
    job.id = undefined; // the server has deleted an unfinished file after a while: the upload begins again
    cut();
  }
  if (told?.code === "wait_in_line") location = "/stamp";
  if (
    // Temporary failures: these statuses, and faults of the server.
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

// Uploads the rest of a file and returns the result of its examination.
async function sent(job) {
  if (!job.id) {
    if (!isKnown) await refresh();
    // An unfinished upload of the same bytes is continued, wherever it began.  A finished one is reused only if it has
    // the same name, so that a duplicate under another name is shown.
    const same = list.querySelector(`[data-digest="${job.digest}"]`);
    if (same?.dataset.fileState === "receiving" || same?.querySelector(".name").textContent === job.file.name)
      job.id = same.dataset.file;
    isKnown = false; // until an answer tells the state of the file
  }
  let found = job.id ? await ask(job, "GET") : { state: "receiving", received: 0 };
  show();
  while (found.state === "receiving") found = await sendPart(job, found.received);
  if (job.isOut) throw new Stopped();
  if (job.isHere = found.state === "examining") cut(); // asked for again in a moment
  job.out.id = `out-${job.id}`; // the same id as in the server's list, so that the focus can stay
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
    if (job.isOut) return job.request && leave(job); // so that the next file finds this one deleted
    job.isFailed = true;
    job.bar.remove();
    tell(job, says.failed);
    job.state.className = "state failed";
    live.textContent = job.why.textContent = broken instanceof Stopped ? broken.message : says.unreadable;
    show();
  }
  if (job.isOut) await leave(job); // taken out just before the upload ended
}

async function forget(job) {
  const answer = job.id && await call(job, "DELETE");
  if (answer && answer.status > 299 && answer.status !== 404) cut();
  await refresh(job);
  live.textContent = says.takenOut;
  return true;
}

// Repeats the deletion of a file until the server confirms it, so that the file does not come back.
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
    jobs.delete(job); // none of its bytes were sent
    job.row.remove();
  }
  show();
}

// -- actions of the visitor

// Over plain HTTP a browser offers no digests: there the form sends the files in one request.  So it does without
// cookies; the next page tells that they are needed.
if (crypto.subtle && navigator.cookieEnabled) {
  field.onchange = () => {
    add(field.files);
    field.value = ""; // so that the same file can be chosen again
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
  // A visitor who comes back from the next page sees the files that the server has.
  addEventListener("pageshow", ({ persisted }) => persisted ? refresh().catch(show) : show());
  window.ondrop = (event) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  };
}
