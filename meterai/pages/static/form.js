// Improvements of forms and links: shows the total while typing, sends a form only once, and prevents navigation while
// the connection is lost.  Everything works without this script.

const away = document.querySelector("[data-away]");
const icon = document.querySelector("link[rel=icon]").href;
let passed; // the form or link that may continue, since the connection works
let isLooking;

const free = () => {
  for (const button of document.querySelectorAll("[data-words]")) {
    button.removeAttribute("aria-disabled");
    button.textContent = button.dataset.words;
  }
};

// Continues a submission or a link if the connection works.  The test is a request for our smallest file, which
// bypasses the browser's cache.
async function leave(event, pressed, go) {
  event.preventDefault();
  if (isLooking) return;
  isLooking = true;
  // A slower answer counts as a lost connection.
  away.hidden = await fetch(icon, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout?.(10_000) })
    .then(() => true, () => false);
  isLooking = false;
  if (!away.hidden) return free();
  passed = pressed;
  go();
  passed = null;
}

addEventListener("submit", (event) => {
  const { target: form, submitter: button } = event;
  const { busy } = form.dataset;
  if (event.defaultPrevented || form === passed || !form.requestSubmit) return;
  if (button?.hasAttribute("aria-disabled")) return event.preventDefault();
  if (busy && button && !isLooking) {
    button.dataset.words = button.textContent;
    button.textContent = busy;
    button.setAttribute("aria-disabled", "true");
  }
  leave(event, form, () => form.requestSubmit(button));
});

addEventListener("click", (event) => {
  const link = event.target.closest("a[href]:not([href^='#'])");
  if (!link || link === passed || event.defaultPrevented) return;
  // A link in a new tab or window leaves this page open, so it needs no test.
  if (!(event.ctrlKey || event.metaKey || event.shiftKey)) leave(event, link, () => link.click());
});

for (const change of ["online", "offline"]) addEventListener(change, () => { away.hidden = navigator.onLine; });
// When a visitor returns, the browser may show the page with its disabled buttons: enable them.
addEventListener("pageshow", free);

for (const total of document.querySelectorAll("[data-total]")) {
  const field = document.getElementById(total.dataset.of);
  const show = () => {
    const count = +field.value;
    total.hidden = !(Number.isInteger(count) && count > 0);
    total.querySelector("output").textContent = `Rp${(count * total.dataset.total).toLocaleString("id")}`;
  };
  field.oninput = show;
  show();
}
