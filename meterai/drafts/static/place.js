// Stamps on the picture of a page: tapped, dragged, moved with arrow keys or numbers.
// The fields of the form (mm, one decimal) are what is sent; the picture follows them.
const form = document.querySelector("form.place");
const paper = form.querySelector(".paper");
const picture = paper.querySelector("[type=image]");
const where = form.querySelector(".where");
const warnings = form.querySelector(".warnings");
const look = form.querySelector(".by-enter"); // keeps what is typed, and shows it
const facts = paper.dataset;
const wide = (facts.width * 25.4) / 72;
const high = (facts.height * 25.4) / 72;
const INK_LEVELS = 16; // of 255, away from the paper's own level: as the server counts ink
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KINDS = ["page", "x", "y", "width"];

const plain = (field) => field.value.trim().replace(",", ".");
const filled = (text, values) => text.replace(/{(\w+)}/g, (_, key) => values[key]);
const written = (length, most) => {
  const text = Math.max(0, Math.min(length, most)).toFixed(1);
  return document.documentElement.lang === "id" ? text.replace(".", ",") : text;
};

const stamps = [...form.querySelectorAll("fieldset.stamp")].map((fields, index) => {
  const one = { number: index + 1, choice: fields.querySelector("[type=radio]") };
  for (const kind of KINDS) one[kind] = fields.querySelector(`[name=${kind}-${one.number}]`);
  return one;
});
const here = stamps.filter((one) => one.page.value === facts.page);
const box = (one) => {
  const [x, y, width] = [one.x, one.y, one.width].map((field) => Number(plain(field)));
  return { x, y, width, height: width * facts.ratio };
};
const sentence = ({ number, page, x, y }) => filled(facts.where, { number, page: page.value, x: x.value, y: y.value });
const choose = (one) => { if (one.choice) one.choice.checked = true; };

// -- what lies under a stamp

const seen = new Image();
const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function inkUnder({ x, y, width, height }) {
  const [across, down] = [seen.naturalWidth / wide, seen.naturalHeight / high];
  const [columns, rows] = [Math.floor(width * across), Math.floor(height * down)];
  if (!columns || !rows) return 0; // the picture is not here yet, or no number is typed
  Object.assign(pen.canvas, { width: columns, height: rows });
  pen.drawImage(seen, x * across, y * down, columns, rows, 0, 0, columns, rows);
  const { data } = pen.getImageData(0, 0, columns, rows);
  let marked = 0;
  for (let at = 0; at < data.length; at += 4) {
    const level = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    marked += Math.abs(level - facts.level) > INK_LEVELS;
  }
  return marked / (columns * rows);
}

function warn() {
  const lines = here.filter((one) => inkUnder(box(one)) > facts.ink).map((one) => filled(facts.covers, one));
  here.forEach((one, index) => here.slice(index + 1).forEach((other) => {
    const [a, b] = [box(one), box(other)];
    const isApart = a.x >= b.x + b.width || b.x >= a.x + a.width || a.y >= b.y + b.height || b.y >= a.y + a.height;
    if (!isApart) lines.push(filled(facts.overlap, { number: one.number, other: other.number }));
  }));
  const items = lines.map((line) => Object.assign(document.createElement("p"), { textContent: line }));
  if (warnings.textContent.trim() !== lines.join("")) warnings.replaceChildren(...items);
}

// -- moving

let telling;
function draw(one) {
  const { x, y, width, height } = box(one);
  const sides = { left: x / wide, top: y / high, width: width / wide, height: height / high };
  for (const [side, share] of Object.entries(sides)) one.handle.style[side] = `${100 * share}%`;
  one.handle.ariaValueNow = Math.round(x) || 0;
  one.handle.ariaValueText = sentence(one);
  form.elements.seen.value = stamps.map((each) => KINDS.map((kind) => plain(each[kind])).join(" ")).join(";");
  // A screen reader would never come to an end of every step.
  clearTimeout(telling);
  telling = setTimeout(() => { where.textContent = sentence(one); warn(); }, 250);
}

function put(one, x, y) {
  const { width, height } = box(one);
  one.x.value = written(x, wide - width);
  one.y.value = written(y, high - height);
  draw(one);
}

function byKey(one, event) {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const far = event.shiftKey ? 10 : 1;
  const { x, y } = box(one);
  put(one, x + far * step[0], y + far * step[1]);
}

function drag(one, begun) {
  const sheet = paper.getBoundingClientRect();
  const { x, y } = box(one);
  const move = (now) => put(
    one,
    x + ((now.clientX - begun.clientX) / sheet.width) * wide,
    y + ((now.clientY - begun.clientY) / sheet.height) * high,
  );
  one.handle.setPointerCapture(begun.pointerId);
  one.handle.addEventListener("pointermove", move);
  one.handle.addEventListener("lostpointercapture", () => one.handle.removeEventListener("pointermove", move), { once: true });
}

function tap({ offsetX, offsetY }) {
  const one = here.find(({ choice }) => choice?.checked) ?? here[0];
  if (!one) return; // what was typed is on no page
  const { width, height } = box(one);
  put(one, (offsetX / seen.clientWidth) * wide - width / 2, (offsetY / seen.clientHeight) * high - height / 2);
}

// -- the page without a script becomes this one

seen.src = picture.src;
seen.alt = "";
seen.addEventListener("click", tap);
seen.addEventListener("load", warn);
// While too many pictures wait, one is refused: it is asked for once more.
seen.addEventListener("error", () => setTimeout(() => { seen.src += "?again"; }, 2500), { once: true });
picture.replaceWith(seen);
for (const one of here) {
  one.handle = Object.assign(document.createElement("div"), {
    className: "handle", tabIndex: 0, role: "slider",
    ariaLabel: filled(facts.name, one), ariaValueMin: 0, ariaValueMax: Math.round(wide),
  });
  one.handle.append(Object.assign(new Image(), { src: facts.stamp, alt: "", draggable: false }));
  one.handle.addEventListener("keydown", (event) => byKey(one, event));
  one.handle.addEventListener("pointerdown", (event) => drag(one, event));
  one.handle.addEventListener("focus", () => choose(one));
  for (const field of [one.x, one.y, one.width]) field.addEventListener("input", () => draw(one));
  paper.append(one.handle);
  draw(one);
}
for (const one of stamps) {
  // Another page is another picture.
  one.page.addEventListener("change", () => { choose(one); form.requestSubmit(look); });
  if (!one.handle) one.choice?.addEventListener("change", () => form.requestSubmit(look));
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
paper.querySelector("svg").remove();
form.classList.add("live");
