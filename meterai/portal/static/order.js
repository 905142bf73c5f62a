// Refreshes the page of an order: while it is visible a request waits at the server for a change.  After some
// minutes requests become rare; a hidden page sends none, and sends one at once when it is shown again.  Without
// this file the page reloads itself.

const FIRST_MS = 2000;
const MOST_MS = 10000;
const LIVE_MS = 180_000; // time in which requests wait for a change
const HELD_MS = 2000; // an answer after this time was delayed by the server

const place = document.querySelector("#act");
const news = document.querySelector("[data-news]");
const away = document.querySelector("[data-away]");
let wait = FIRST_MS;
let timer;
let asking; // the current request
let since = Date.now();
const aheadMs = Date.parse(place.dataset.now) - since; // the server's clock is ahead of ours by this
let saidMinutes;

const all = (what) => [...place.querySelectorAll(what)];

function tick() {
  const end = place.querySelector("[data-end]");
  if (!end) return;
  const left = Math.max(0, Math.ceil((Date.parse(end.dataset.end) - Date.now() - aheadMs) / 1000));
  const minutes = Math.ceil(left / 60);
  end.hidden = false;
  end.textContent = `${end.dataset.left} ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} ·`;
  // Announce the remaining time to screen readers.
  if (minutes < saidMinutes && [5, 1].includes(minutes)) news.textContent = end.dataset.minutes.replace("{minutes}", minutes);
  if (minutes < saidMinutes && !left) soon();
  saidMinutes = minutes;
}

function prepare() {
  tick();
  if (navigator.clipboard) for (const button of all("[data-copy]")) button.hidden = false;
}

// The same control in the new text, identified by its action.
const name = (one) => one.id || one.getAttribute("href") || one.form?.action || one.textContent;
const headline = () => place.firstElementChild.dataset.headline;
const steps = () => all("[data-step]").map((one) => one.dataset.step);
const open = () => all("[open] > summary").map(name);

function replace(text) {
  const at = place.contains(document.activeElement) && name(document.activeElement);
  const [title, before, opened] = [headline(), steps(), open()];
  place.innerHTML = text;
  for (const one of all("summary")) one.parentElement.open ||= opened.includes(name(one));
  if (at) (all("a, button, summary, textarea, input").find((one) => name(one) === at) ?? place).focus({ preventScroll: true });
  const said = steps().filter((one) => !before.includes(one));
  if (headline() !== title) said.unshift(headline());
  document.title = document.title.replace(title, headline());
  if (said.length) news.textContent = said.join(". ");
  document.dispatchEvent(new Event("replaced"));
  prepare();
}

async function ask(signal) {
  const begun = Date.now();
  const path = new URL(place.dataset.state, location.href);
  if (begun - since < LIVE_MS) path.searchParams.set("wait", "1");
  const answer = await fetch(path, {
    signal,
    headers: { Accept: "text/html", "If-None-Match": place.dataset.version },
    cache: "no-store",
  });
  if (answer.redirected) location.reload(); // the session ended: the page redirects to sign-in and back
  else if (answer.status === 200) {
    place.dataset.version = answer.headers.get("ETag");
    replace(await answer.text());
    since = Date.now();
    wait = FIRST_MS / 4;
  } else {
    wait = answer.status === 304 && Date.now() - begun > HELD_MS ? FIRST_MS / 4 : Math.min(Math.max(wait, FIRST_MS) * 1.25, MOST_MS);
  }
}

async function watch() {
  clearTimeout(timer);
  asking?.abort(); // a waiting request is sent again
  if (document.hidden) return;
  const { signal } = (asking = new AbortController());
  try {
    await ask(signal);
    away.hidden = true;
  } catch {
    if (signal.aborted) return;
    wait = MOST_MS; // no connection: nothing is lost, the request is repeated
    away.hidden = false;
  }
  if ("mayChange" in place.firstElementChild.dataset) timer = setTimeout(watch, wait);
}

function soon() {
  wait = FIRST_MS;
  since = Date.now();
  watch();
}

place.addEventListener("click", async ({ target }) => {
  const { copy, done } = target.dataset;
  if (!copy) return;
  await navigator.clipboard.writeText(document.getElementById(copy).value);
  target.textContent = done;
});

prepare();
if (place.dataset.state) {
  setInterval(tick, 1000);
  document.onvisibilitychange = soon;
  addEventListener("online", soon);
  addEventListener("pageshow", ({ persisted }) => persisted && soon());
  timer = setTimeout(watch, wait);
}
