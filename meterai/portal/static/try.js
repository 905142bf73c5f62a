// Sends requests by forms derived from the description of the API.  The key stays in this page: it is not stored and
// goes to no other host.  Without this file the page links to the commands.

const form = document.querySelector("#try");
const chosen = form.querySelector("#operation");
const fields = form.querySelector("#fields");
const answer = document.querySelector("#answer");
const described = await (await fetch("/openapi.json")).json();
const TEXTS = ["application/json", "application/jsonl", "text/csv"];
let shown; // URL of the file of the last answer

const operations = Object.entries(described.paths)
  .filter(([path]) => path.startsWith("/v1/"))
  .flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => ({ path, method, ...one })));

const made = (tag, values) => Object.assign(document.createElement(tag), values);
const resolved = (schema) => (schema.$ref ? described.components.schemas[schema.$ref.split("/").pop()] : schema);

function field(name, place, told, control) {
  const id = `field-${place}-${name}`;
  Object.assign(control, { id, name, required: told.required ?? false });
  control.dataset.place = place;
  fields.append(made("label", { htmlFor: id, textContent: `${name} (${place})` }), control);
}

const random = () => [...crypto.getRandomValues(new Uint8Array(8))].map((one) => one.toString(16).padStart(2, "0")).join("");

function bodyFields([kind, { schema, example }]) {
  const whole = resolved(schema);
  if (kind === "multipart/form-data") {
    for (const [name, one] of Object.entries(whole.properties)) {
      const file = (one.items ?? one).format === "binary";
      const told = { required: whole.required?.includes(name) };
      const value = example?.[name] ?? "";
      field(name, "form", told, made("input", file ? { type: "file", multiple: Boolean(one.items) }
        : { type: "text", value: typeof value === "string" ? value : JSON.stringify(value) }));
    }
  } else if (TEXTS.includes(kind)) {
    const text = kind === "application/json" ? JSON.stringify(example ?? {}, null, 1) : "";
    field("body", kind, { required: true }, made("textarea", { rows: 5, value: text }));
  } else {
    field("body", kind, { required: true }, made("input", { type: "file" }));
  }
}

function choose() {
  fields.replaceChildren();
  const { parameters = [], requestBody } = operations[chosen.value];
  for (const one of parameters) {
    const value = one.name === "Idempotency-Key" ? random() : "";
    field(one.name, one.in, one, made("input", { type: "text", value, placeholder: String(one.example ?? "") }));
  }
  if (requestBody) bodyFields(Object.entries(requestBody.content)[0]);
}

function requested() {
  const { method, path } = operations[chosen.value];
  const url = new URL(path, location.origin);
  const headers = new Headers();
  const multipart = new FormData();
  let body;
  if (form.elements.key.value) headers.set("Authorization", `Bearer ${form.elements.key.value}`);
  for (const one of fields.querySelectorAll("[data-place]")) {
    const { place } = one.dataset;
    if (place === "path") url.pathname = url.pathname.replace(encodeURI(`{${one.name}}`), encodeURIComponent(one.value));
    else if (place === "query") one.value && url.searchParams.set(one.name, one.value);
    else if (place === "header") one.value && headers.set(one.name, one.value);
    else if (place === "form") {
      for (const value of one.files ?? (one.value ? [one.value] : [])) multipart.append(one.name, value);
      body = multipart;
    } else {
      body = one.files ? one.files[0] : one.value;
      headers.set("Content-Type", place);
    }
  }
  return [url, { method: method.toUpperCase(), headers, body, credentials: "omit" }];
}

async function told(response) {
  const kind = response.headers.get("Content-Type") ?? "";
  const number = response.headers.get("Request-Id") ?? "";
  const head = `${response.status} ${kind}\nRequest-Id: ${number}\n\n`;
  if (kind.includes("json")) {
    const text = await response.text();
    try { return head + JSON.stringify(JSON.parse(text), null, 2); } catch { return head + text; }
  }
  const blob = await response.blob();
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(blob);
  const link = made("a", { href: shown, download: "answer", textContent: answer.dataset.save });
  answer.after(link);
  return `${head}${blob.size} B`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  answer.parentElement.querySelector("a[download]")?.remove();
  answer.textContent = "…";
  answer.textContent = await fetch(...requested()).then(told).catch((wrong) => String(wrong));
});
chosen.addEventListener("change", choose);
operations.forEach(({ method, path }, at) => chosen.append(made("option", { value: at, textContent: `${method.toUpperCase()} ${path}` })));
chosen.value = operations.findIndex(({ method, path }) => method === "get" && path === "/v1/balance");
choose();
form.hidden = false;
