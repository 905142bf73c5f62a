// Each document is sent by itself, two at a time, so that a lost connection costs one of them; the table
// stays in this tab, so that a reload costs none.  Without this file all of them are one form.

const form = document.querySelector("[data-many]");
const results = document.querySelector("[data-results]");
const table = results.querySelector("tbody");
const progress = form.querySelector("[data-progress]");
const status = form.querySelector("[data-status]");
const [button, asFile] = form.querySelectorAll("button");
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const wait = (seconds) => new Promise((go) => { setTimeout(go, seconds * 1000); });
let kept = {}; // the rows of each file, by what is known of it before it is read

function show() {
  // A tab keeps some 5 MB; a larger table lasts as long as the page.
  try { sessionStorage.many = JSON.stringify(kept); } catch { /* as said */ }
  table.innerHTML = Object.values(kept).join("");
  results.hidden = !table.rows.length;
}

/** The rows of one file, however often that takes; a refusal that stays is thrown as its words. */
async function rowsOf(file) {
  const body = new FormData();
  body.append("document", file);
  for (;;) {
    try {
      const answer = await fetch(`${form.action}/rows`, { method: "POST", body, headers: { Accept: "application/json" } });
      const found = await answer.text();
      if (answer.ok) return found;
      if (answer.status !== 503) return refused(file, JSON.parse(found).detail);
      await wait(Number(answer.headers.get("Retry-After")) || 3);
    } catch {
      progress.textContent = form.dataset.offline;
      await wait(3);
    }
  }
}

function refused(file, words) {
  const row = document.createElement("tr");
  const cells = [file.name, `! ${words}`, ""].map((text, n) => Object.assign(document.createElement(n ? "td" : "th"), { textContent: text }));
  row.append(...cells);
  row.dataset.line = cells.map((one) => `"'${one.textContent.replaceAll('"', '""')}"`).join();
  return row.outerHTML;
}

form.addEventListener("submit", async (event) => {
  const waiting = [...form.querySelector("[type=file]").files];
  if (!waiting.length) return; // the server says what is missing
  event.preventDefault();
  button.disabled = true;
  status.textContent = "";
  const count = waiting.length;
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      progress.textContent = fill(form.dataset.waits, { done: count - waiting.length, count, name: file.name });
      const known = `${file.name} ${file.size} ${file.lastModified}`;
      const isLarge = file.size > Number(form.dataset.bytesMax);
      kept[known] ??= isLarge ? refused(file, form.dataset.tooLarge) : await rowsOf(file);
      show();
    }
  };
  await Promise.all([worker(), worker()]);
  button.disabled = false;
  progress.textContent = "";
  const all = table.rows.length;
  status.textContent = fill(form.dataset.done, { count: all, others: all - table.querySelectorAll(".good").length });
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
  kept = {};
  show();
});

asFile.hidden = true; // there is one below the table, of what was checked already
kept = JSON.parse(sessionStorage.many ?? "{}");
show();
