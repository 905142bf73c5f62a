// Reads the public document of the line instead of loading the page again; without this script the
// page reloads itself.  The rules are those of `estimate.py`: the fewer places are ahead, the sooner it asks again.

const place = document.getElementById("place");
const told = place.dataset;
const number = +told.number;
const LEAST = 5, MOST = 180, LOOKS = 3, SLOWEST = 0.001, LONGEST = 604800;
let timer;

function words(low, high) {
  if (high <= 60) return told.soon;
  const [unit, between, upTo] = high <= 6000 ? [60, told.minutes, told.upMinutes] : [3600, told.hours, told.upHours];
  const least = Math.floor(low / unit);
  return (least ? between : upTo).replace("{low}", least).replace("{high}", Math.ceil(high / unit));
}

// The same as `crowds.places_to`: a spaced place may be called with a number that nobody has.
function placesTo(line) {
  let places = Math.max((told.spaced ? Math.min(number, line.last) : number) - line.serving, 0);
  for (const [first, last, all] of line.spaced ?? []) {
    const among = Math.min(last, number) - Math.max(first - 1, line.serving);
    if (among > 0) places += (all * among) / (last - first + 1);
  }
  return Math.max(Math.round(places), 1);
}

function show(line) {
  const ahead = placesTo(line);
  const { fast, slow } = line.per_second;
  place.querySelector("[data-ahead]").textContent =
    Math.max(ahead - 1, 0).toLocaleString(told.language);
  const high = (ahead * line.spread) / slow + LEAST;
  const isKnown = !line.is_paused && slow >= SLOWEST && high <= LONGEST;
  place.querySelector("[data-wait]").textContent = isKnown
    ? words(ahead / (fast * line.spread), high) : told.unknown;
  const wait = fast > SLOWEST ? ahead / fast : MOST * LOOKS;
  return Math.min(Math.max(wait / LOOKS, LEAST), MOST) * (0.85 + 0.3 * Math.random());
}

async function look() {
  let seconds = 15 + 15 * Math.random();
  try {
    const answer = await fetch(told.document, { credentials: "omit" });
    if (answer.status === 404) return location.reload(); // the line has ended
    const { payload } = await answer.json();
    const line = JSON.parse(new TextDecoder().decode(
      Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))));
    // If a process was killed before it counted this place, a request of the page counts it.
    const isForgotten = told.spaced && line.last <= line.serving && !line.spaced?.length;
    if (!line.is_engaged || isForgotten || (number <= line.serving && !line.is_paused)) return location.replace(told.enter);
    seconds = show(line);
  } catch {
    // Offline, or the server is busy: the number stays valid, and the script asks again.
  }
  later(seconds);
}

function later(seconds) {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, seconds * 1000);
}

document.addEventListener("visibilitychange", () => later(1));
addEventListener("online", () => later(1));
later(LEAST + LEAST * Math.random());
