// Stamps on the picture of a page, placed by tapping, dragging, arrow keys or numbers.
// The fields of the form (mm, one decimal) are sent; the picture shows their values.
const form = document.querySelector("form.place");
const paper = form.querySelector(".paper");
const where = form.querySelector(".where");
const picture = paper.querySelector("[type=image]");
const seen = Object.assign(new Image(), { alt: "", src: picture.src, onclick: tap, onload: warn, onerror: again });
const warnings = form.querySelector(".warnings");
const look = form.querySelector(".by-enter"); // the button that stores the typed numbers and shows them
const facts = paper.dataset;
const [wide, high] = [facts.width, facts.height].map(Number);
const INK_LEVELS = 16; // of 255: a darker or lighter pixel than the background by more is ink, as on the server
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KINDS = ["page", "x", "y", "width"];

const plain = (field) => field.value.trim().replace(",", ".");
const filled = (text, of) => text.replace(/{(\w+)}/g, (_, key) => of[key].value ?? of[key]);
const written = (length, most) => Math.max(0, Math.min(length, most)).toFixed(1).replace(".", facts.point);

const stamps = [...form.querySelectorAll("fieldset.stamp")].map((fields, index) => {
  const one = { number: index + 1, choice: fields.querySelector("[type=radio]") };
  for (const kind of KINDS) one[kind] = fields.querySelector(`[name=${kind}-${one.number}]`);
  return one;
});
const here = stamps.filter((one) => one.page.value === facts.page);
const box = (one) => {
  const [x, y, width] = [one.x, one.y, one.width].map((field) => +plain(field));
  return { x, y, width, height: width * facts.ratio };
};
const choose = ({ choice }) => { if (choice) choice.checked = true; };

// -- ink under a stamp

const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function isOnInk(one) {
  const { x, y, width, height } = box(one);
  const [across, down] = [seen.naturalWidth / wide, seen.naturalHeight / high];
  const [columns, rows] = [Math.floor(width * across), Math.floor(height * down)];
  if (!columns || !rows) return false; // the picture is not loaded yet, or no number is typed
  Object.assign(pen.canvas, { width: columns, height: rows });
  pen.drawImage(seen, x * across, y * down, columns, rows, 0, 0, columns, rows);
  const { data } = pen.getImageData(0, 0, columns, rows);
  let marked = 0;
  for (let at = 0; at < data.length; at += 4) {
    const level = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    marked += Math.abs(level - facts.level) > INK_LEVELS;
  }
  return marked > facts.ink * columns * rows;
}

function overlap(one, other) {
  const [a, b] = [box(one), box(other)];
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

// The server refuses a picture while too many wait: it is requested again until it comes, and a note says so.
function again() {
  warn();
  setTimeout(() => { seen.src = picture.src; }, 3000);
}

function warn() {
  const lines = here.filter(isOnInk).map((one) => filled(facts.covers, one));
  if (seen.complete && !seen.naturalWidth) lines.push(facts.waits);
  here.forEach((one, index) => {
    for (const two of here.slice(index + 1))
      if (overlap(one, two)) lines.push(filled(facts.overlap, { number: one.number, other: two.number }));
  });
  if (warnings.textContent.trim() === lines.join("")) return;
  warnings.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
}

// -- moving

let telling;
function draw(one) {
  const { x, y, width, height } = box(one);
  const sides = { left: x / wide, top: y / high, width: width / wide, height: height / high };
  for (const side in sides) one.handle.style[side] = `${100 * sides[side]}%`;
  one.handle.ariaValueNow = Math.round(x) || 0;
  one.handle.ariaValueText = filled(facts.where, one);
  form.elements.seen.value = stamps.map((each) => KINDS.map((kind) => plain(each[kind])).join(" ")).join(";");
  // A screen reader that read out every step would never finish.
  clearTimeout(telling);
  telling = setTimeout(() => { where.textContent = filled(facts.where, one); warn(); }, 250);
}

function put(one, x, y) {
  const { width, height } = box(one);
  one.x.value = written(x, wide - width);
  one.y.value = written(y, high - height);
  draw(one);
}

// The position of a pointer on the page.
function at({ clientX, clientY }) {
  const { left, top, width, height } = paper.getBoundingClientRect();
  return [((clientX - left) / width) * wide, ((clientY - top) / height) * high];
}

function byKey(one, event) {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const far = event.shiftKey ? 10 : 1;
  const { x, y } = box(one);
  put(one, x + far * step[0], y + far * step[1]);
}

// A dragged stamp keeps its offset from the finger.
function drag(one, begun) {
  const { x, y } = box(one);
  const from = at(begun);
  one.handle.setPointerCapture(begun.pointerId);
  one.handle.onpointermove = (event) => {
    const to = at(event);
    put(one, x + to[0] - from[0], y + to[1] - from[1]);
  };
}

function tap(event) {
  const one = here.find(({ choice }) => choice?.checked) ?? here[0];
  if (!one) return; // no stamp is on this page with the typed numbers
  const { width, height } = box(one);
  const [x, y] = at(event);
  put(one, x - width / 2, y - height / 2);
}

// -- changes of the page that works without a script

paper.replaceChildren(seen);
paper.style.aspectRatio = wide / high; // also before the picture is loaded
for (const one of here) {
  one.handle = Object.assign(document.createElement("div"), {
    className: "handle", tabIndex: 0, role: "slider",
    ariaLabel: filled(facts.name, one), ariaValueMax: Math.round(wide),
    onkeydown: (event) => byKey(one, event),
    onpointerdown: (event) => drag(one, event),
    onlostpointercapture: () => { one.handle.onpointermove = null; },
    onfocus: () => choose(one),
  });
  one.handle.append(Object.assign(new Image(), { src: facts.stamp, alt: "", draggable: false }));
  for (const field of [one.x, one.y, one.width]) field.oninput = () => draw(one);
  paper.append(one.handle);
  draw(one);
}
for (const one of stamps) {
  // Another page needs another picture.
  one.page.onchange = () => { choose(one); form.requestSubmit(look); };
  if (!one.handle && one.choice) one.choice.onchange = () => form.requestSubmit(look);
}
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
form.classList.add("live");
here[0]?.handle.scrollIntoView({ block: "nearest" }); // above the button that uses its place
