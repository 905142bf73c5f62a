// Many files: each document is sent by itself, two at a time, so that a lost connection costs one of
// them, and the table is kept by this tab, so that a reload costs none.  Without this file all of
// them are one form.

const AT_ONCE = 2;
const form = document.querySelector("[data-many]");
const field = form.querySelector("[type=file]");
const results = document.querySelector("[data-results]");
const table = results.querySelector("tbody");
const progress = form.querySelector("[data-progress]");
const status = form.querySelector("[data-status]");
const [button, asFile] = form.querySelectorAll("button");
const KEPT = "many";
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const wait = (seconds) => new Promise((go) => { setTimeout(go, seconds * 1000); });
let done;
let kept = { rows: [], seen: [] };

function show() {
  table.innerHTML = kept.rows.join("");
  results.hidden = !kept.rows.length;
}

function keep() {
  // A tab has some 5 MB; a table beyond that lasts as long as the page.
  try { sessionStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* as said */ }
}

async function online() {
  if (navigator.onLine) return wait(3);
  return new Promise((go) => { addEventListener("online", go, { once: true }); });
}

/** The rows of one file, however often that takes; a refusal that stays is thrown as its words. */
async function rowsOf(file) {
  for (;;) {
    const body = new FormData();
    body.append("document", file);
    let answer;
    try {
      answer = await fetch(`${form.action}/rows`, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.ok) return await answer.text();
    } catch {
      progress.textContent = form.dataset.offline;
      await online();
      continue;
    }
    if (answer.status !== 503) throw new Error((await answer.json()).detail);
    await wait(Number(answer.headers.get("Retry-After")) || 3);
  }
}

function refused(file, words) {
  const row = document.createElement("tr");
  row.innerHTML = '<th scope="row" class="name"></th><td></td><td></td>';
  row.cells[0].textContent = file.name;
  row.cells[1].textContent = `! ${words}`;
  row.dataset.line = `"'${file.name.replaceAll('"', '""')}","${words.replaceAll('"', '""')}"`;
  return row.outerHTML;
}

async function check(file, count) {
  const known = `${file.name} ${file.size} ${file.lastModified}`;
  progress.textContent = fill(form.dataset.waits, { done: done + 1, count, name: file.name });
  if (!kept.seen.includes(known)) {
    const isLarge = file.size > Number(form.dataset.bytesMax);
    const rows = isLarge ? refused(file, form.dataset.tooLarge) : await rowsOf(file).catch((error) => refused(file, error.message));
    kept.rows.push(rows);
    kept.seen.push(known);
    keep();
    table.insertAdjacentHTML("beforeend", rows);
    results.hidden = false;
  }
  done += 1;
}

form.addEventListener("submit", async (event) => {
  if (!field.files.length) return; // the server says what is missing
  event.preventDefault();
  const waiting = [...field.files];
  const count = waiting.length;
  done = 0;
  button.disabled = true;
  status.textContent = "";
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) await check(file, count);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  button.disabled = false;
  progress.textContent = "";
  status.textContent = fill(form.dataset.done, { count: table.rows.length, others: table.rows.length - table.querySelectorAll(".good").length });
});

results.querySelector("[data-csv]").addEventListener("click", (event) => {
  // In an attribute a line ends as HTML has it, not as RFC 4180 does.
  const lines = [results, ...table.rows].map((one) => `${one.dataset.line.trimEnd()}\r\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
  link.download = `${event.target.dataset.csv}.csv`;
  link.click();
});

results.querySelector("[data-clear]").addEventListener("click", () => {
  kept = { rows: [], seen: [] };
  keep();
  show();
  field.focus();
});

asFile.hidden = true; // there is one below the table, of what was checked already
kept = JSON.parse(sessionStorage.getItem(KEPT)) ?? kept;
show();
