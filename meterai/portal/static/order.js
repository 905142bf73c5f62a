// Keeps the page of an order fresh: while somebody looks a question waits at the server for news; after
// some minutes it asks less and less often, not at all while nobody looks, and at once when somebody comes
// back.  Without this file the page loads itself again.

const FIRST_MS = 2000;
const MOST_MS = 10000;
const GROWTH = 1.25;
const LIVE_MS = 180_000; // for which questions wait for news
const HELD_MS = 2000; // an answer that took so long was held back
const SAID_MINUTES = [5, 1]; // of the time left, aloud

const place = document.querySelector("[data-state]");
const news = document.querySelector("[data-news]");
const offline = document.querySelector("[data-offline]");
let wait = FIRST_MS;
let timer = 0;
let asking = null; // the question under way
let since = Date.now();
const loaded = document.querySelector("[data-now]");
const aheadMs = loaded ? Date.parse(loaded.dataset.now) - Date.now() : 0; // of our clock, that of the server
let saidMinutes = Infinity;

const two = (number) => String(number).padStart(2, "0");

function tick() {
  const end = document.querySelector("[data-end]");
  if (!end) return;
  const left = Math.max(0, Math.ceil((Date.parse(end.dataset.end) - Date.now() - aheadMs) / 1000));
  const minutes = Math.floor(left / 60);
  end.hidden = false;
  end.textContent = `${end.dataset.left} ${minutes}:${two(left % 60)} ·`;
  const near = SAID_MINUTES.find((one) => left <= one * 60 && left > one * 60 - 10);
  if (near && near < saidMinutes) {
    saidMinutes = near;
    news.textContent = end.dataset.minutes.replace("{minutes}", near);
  }
  if (left === 0 && !end.dataset.over) {
    end.dataset.over = "yes";
    soon();
  }
}

function prepare() {
  tick();
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

// The same control of the new text: controls are told apart by what they do.
const name = (one) => one && place.contains(one) && (one.id || one.getAttribute("href") || one.closest("form")?.action || one.textContent);
const controls = () => [...place.querySelectorAll("a, button, summary, textarea, input")];
const steps = () => [...place.querySelectorAll("[data-step]")].map((one) => one.dataset.step);

function replace(text) {
  const focused = name(document.activeElement);
  const open = [...place.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
  const before = steps();
  const headline = place.firstElementChild.dataset.headline;
  place.innerHTML = text;
  const now = place.firstElementChild.dataset.headline;
  for (const one of place.querySelectorAll("summary")) {
    if (open.includes(one.textContent)) one.parentElement.open = true;
  }
  const again = focused && controls().find((one) => name(one) === focused);
  if (again) again.focus({ preventScroll: true });
  else if (focused) place.focus({ preventScroll: true });
  const said = steps().filter((one) => !before.includes(one));
  if (now !== headline) {
    said.unshift(now);
    document.title = document.title.replace(headline, now);
  }
  if (said.length) news.textContent = said.join(". ");
  document.dispatchEvent(new Event("replaced"));
  prepare();
}

async function ask() {
  const begun = Date.now();
  const path = new URL(place.dataset.state, location.href);
  if (begun - since < LIVE_MS) path.searchParams.set("wait", "1");
  const answer = await fetch(path, {
    signal: asking.signal,
    headers: { Accept: "text/html", "If-None-Match": place.dataset.version },
    cache: "no-store",
  });
  if (answer.redirected) {
    location.reload(); // the session ended: the page itself leads to signing in and back
    return false;
  }
  if (answer.status === 200) {
    place.dataset.version = answer.headers.get("ETag");
    replace(await answer.text());
    since = Date.now();
    wait = FIRST_MS / 4;
  } else {
    const wasHeld = answer.status === 304 && Date.now() - begun > HELD_MS;
    wait = wasHeld ? FIRST_MS / 4 : Math.min(Math.max(wait, FIRST_MS) * GROWTH, MOST_MS);
  }
  return "mayChange" in place.firstElementChild.dataset;
}

async function watch() {
  let goesOn = true;
  const own = new AbortController();
  asking?.abort(); // a question that waits is asked anew
  asking = own;
  try {
    if (document.hidden) wait = MOST_MS;
    else goesOn = await ask();
    if (offline) offline.hidden = navigator.onLine;
  } catch {
    if (own.signal.aborted) return;
    wait = MOST_MS; // no connection: nothing is lost, we ask again
    if (offline) offline.hidden = false;
  }
  clearTimeout(timer);
  if (goesOn) timer = setTimeout(watch, wait);
}

function soon() {
  wait = FIRST_MS;
  since = Date.now();
  clearTimeout(timer);
  timer = setTimeout(watch, 0);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
  button.textContent = button.dataset.done;
});

prepare();
if (place) {
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  addEventListener("online", soon);
  addEventListener("offline", () => { offline.hidden = false; });
  addEventListener("pageshow", (event) => { if (event.persisted) soon(); });
  timer = setTimeout(watch, wait);
}
