// Each document is sent by itself: a lost connection costs one of them.  This tab keeps the table: a
// reload costs none.  Without this file all of them are one form.

const AGAIN = [502, 503, 504]; // statuses of who is busy, or away
const form = document.querySelector("[data-many]");
const words = form.dataset;
const results = document.querySelector("[data-results]");
const table = results.querySelector("tbody");
const [progress, status] = form.querySelectorAll("[data-said]");
const [button, asFile] = form.querySelectorAll("button");
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
const wait = (seconds) => new Promise((go) => { setTimeout(go, seconds * 1000); });
let kept = JSON.parse(sessionStorage.many ?? "{}"); // the rows of each file, by what it looks like

function show() {
  try { sessionStorage.many = JSON.stringify(kept); } catch { /* beyond 5 MB it lasts as long as the page */ }
  table.innerHTML = Object.values(kept).join("");
  results.hidden = !table.rows.length;
}

function refused(file, why) {
  const row = document.createElement("tr");
  for (const text of [file.name, `! ${why}`]) row.insertCell().textContent = text;
  row.dataset.line = [...row.cells].map((one) => `"'${one.textContent.replaceAll('"', '""').replaceAll(";", ",")}"`).join();
  return row.outerHTML;
}

// A file is known by what is in it: another with its name, size and time is another.
async function keyOf(file) {
  const isRead = crypto.subtle && file.size <= words.bytesMax;
  const read = isRead && (await file.arrayBuffer().catch(() => null));
  if (!read) return `${file.name} ${Math.random()}`;
  return `${file.name} ${new Uint8Array(await crypto.subtle.digest("SHA-256", read)).join("-")}`;
}

/** The rows of one file, however often it has to be sent. */
async function rowsOf(file) {
  const body = new FormData();
  body.append("document", file);
  for (;;) {
    try {
      const answer = await fetch(`${form.action}/rows`, { method: "POST", body, headers: { Accept: "application/json" } });
      const found = await answer.text();
      if (answer.redirected) location.assign(answer.url); // there is a line to stand in first
      else if (answer.ok) return found;
      else if (!AGAIN.includes(answer.status)) return refused(file, found[0] === "{" ? JSON.parse(found).title : words.tooLarge);
    } catch {
      progress.textContent = words.offline;
    }
    await wait(3);
  }
}

form.addEventListener("submit", async (event) => {
  const waiting = [...form.querySelector("[type=file]").files];
  if (!waiting.length) return; // the server says what is missing
  event.preventDefault();
  button.disabled = true;
  status.textContent = "";
  const count = waiting.length;
  const worker = async () => {
    for (let file; (file = waiting.shift());) {
      progress.textContent = fill(words.waits, { done: count - waiting.length, count, name: file.name });
      const key = await keyOf(file);
      kept[key] ??= file.size > words.bytesMax ? refused(file, words.tooLarge) : await rowsOf(file);
      show();
    }
  };
  await Promise.all([worker(), worker()]);
  button.disabled = false;
  progress.textContent = "";
  const all = table.rows.length;
  status.textContent = fill(words.done, { count: all, others: all - table.querySelectorAll(".good").length });
});

results.querySelector("[data-csv]").addEventListener("click", ({ target }) => {
  // In an attribute a line ends as HTML has it, not as RFC 4180 does.
  const lines = [results, ...table.rows].map((one) => `${one.dataset.line.trimEnd()}\r\n`);
  const href = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
  Object.assign(document.createElement("a"), { href, download: `${target.dataset.csv}.csv` }).click();
});

results.querySelector("[data-clear]").addEventListener("click", () => {
  kept = {};
  show();
});

asFile.hidden = true; // there is one below the table
show();
