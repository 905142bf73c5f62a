// Each document is sent separately, so that a lost connection costs only one.  This tab stores the table, which
// a reload does not lose.  Without this file all documents are sent in one form.

const form = document.querySelector("[data-many]");
const words = form.dataset;
const results = document.querySelector("[data-results]");
const table = results.querySelector("tbody");
const [progress, status] = form.querySelectorAll("[data-said]");
const button = form.querySelector("button");
let kept = JSON.parse(sessionStorage.rows ?? "{}"); // the rows of each file, by its key

function show() {
  // A table of more than 5 MB is not stored.
  try { sessionStorage.rows = JSON.stringify(kept); } catch {}
  table.innerHTML = Object.values(kept).join("");
  again();
  results.hidden = !table.rows.length;
}

// A serial belongs to one document: files with the same serial are copies, and each is marked.
function again() {
  const same = {};
  for (const link of table.querySelectorAll("a")) (same[link.href] ??= []).push(link.closest("tr"));
  for (const rows of Object.values(same)) {
    for (const row of rows) {
      const name = rows.find((one) => one !== row)?.cells[0].textContent;
      const note = row.querySelector("[hidden]");
      if (name && note) {
        note.hidden = false;
        note.querySelector("bdi").append(name);
        row.className = "bad";
        row.dataset.line = row.dataset.sharedLine.replace(/""]$/, `${JSON.stringify(name)}]`); // the last cell is for the name
      }
    }
  }
  for (const count of results.querySelectorAll("[data-of]")) { // sorts rows, the worst first
    const rows = table.querySelectorAll(`.${count.dataset.of}`);
    table.append(...rows);
    count.textContent = rows.length;
  }
}

function refused({ name }, why) {
  const row = document.createElement("tr");
  const texts = [name, `! ${why}`];
  for (const text of texts) row.insertCell().append(text);
  row.dataset.line = JSON.stringify(texts);
  row.className = "unsure";
  row.dataset.unchecked = "";
  row.lang = words.lang; // a row remains when the page changes its language
  return row.outerHTML;
}

// The key of a file is its name with the hash of its content.  A file that cannot be read counts as new.
const keyOf = async (file) => {
  try {
    const read = file.size <= words.bytesMax && await file.arrayBuffer();
    return file.name + new Uint8Array(await crypto.subtle.digest("SHA-256", read));
  } catch {
    return Math.random();
  }
};

// Returns the rows of one file; sends it again until there is an answer.
async function rowsOf(file) {
  if (file.size > words.bytesMax) return refused(file, words.tooLarge);
  const body = new FormData;
  body.append("document", file);
  for (;;) {
    try {
      const answer = await fetch(`${form.action}/rows`, { method: "POST", body, headers: { Accept: "application/json" } });
      const found = await answer.text();
      if (answer.redirected) location = answer.url; // to the waiting room
      else if (answer.ok) return found;
      // A server that is busy or unreachable answers 502 or above.
      else if (answer.status < 502) return refused(file, found[0] === "{" ? JSON.parse(found).title : words.tooLarge);
    } catch {
      progress.textContent = words.offline;
    }
    await new Promise((go) => setTimeout(go, 3000));
  }
}

form.onsubmit = async (event) => {
  const waiting = [...form.document.files];
  const count = waiting.length;
  if (!count || event.submitter !== button) return; // the server states that a file is missing
  event.preventDefault();
  button.disabled = true;
  status.textContent = "";
  const work = async () => {
    for (let file; (file = waiting.shift());) {
      progress.textContent = `${words.waits} ${count - waiting.length}/${count}: ${file.name}`;
      const key = await keyOf(file);
      // A file that was not checked is sent again.
      if (kept[key]?.includes("data-unchecked") ?? true) kept[key] = await rowsOf(file);
      show();
    }
  };
  await Promise.all([work(), work()]);
  button.disabled = false;
  progress.textContent = "";
  const counts = {};
  for (const row of table.rows) {
    const word = (row.querySelector("strong:not([hidden] *)") ?? row.cells[1]).textContent;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  status.textContent = [words.done, ...Object.entries(counts).map((one) => one.join(" "))].join(", ");
};

results.querySelector("form").onsubmit = ({ target }) => {
  target.table.value = `[${[...table.rows].map((one) => one.dataset.line)}]`;
};

results.querySelector("[data-clear]").onclick = () => {
  kept = {};
  show();
};

show();
