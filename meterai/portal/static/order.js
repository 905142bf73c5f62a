// Keeps the page of an order fresh: asks every two seconds, then less and less often, and not at
// all while nobody looks.  Without this file the page loads itself again.

const FIRST_MS = 2000;
const MOST_MS = 10000;
const GROWTH = 1.25;

const place = document.querySelector("[data-state]");
const news = document.querySelector("[data-news]");
let wait = FIRST_MS;

function showCopyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

function replace(text) {
  const wasOpen = [...place.querySelectorAll("details")].map((one) => one.open);
  const headline = place.firstElementChild.dataset.headline;
  place.innerHTML = text;
  const now = place.firstElementChild.dataset.headline;
  if (now !== headline) {
    news.textContent = now;
    document.title = document.title.replace(headline, now);
  } else {
    place.querySelectorAll("details").forEach((one, index) => { one.open = wasOpen[index] ?? false; });
  }
  showCopyButtons();
}

async function ask() {
  const answer = await fetch(place.dataset.state, {
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
    wait = FIRST_MS;
  } else {
    wait = Math.min(wait * GROWTH, MOST_MS);
  }
  return "mayChange" in place.firstElementChild.dataset;
}

async function watch() {
  let goesOn = true;
  if (!document.hidden) {
    try {
      goesOn = await ask();
    } catch {
      wait = MOST_MS; // no connection: nothing is lost, we ask again
    }
  }
  if (goesOn) setTimeout(watch, wait);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
  button.textContent = button.dataset.done;
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wait = FIRST_MS;
});

showCopyButtons();
if (place) setTimeout(watch, wait);
