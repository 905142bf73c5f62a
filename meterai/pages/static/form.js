// Comforts of forms: the total while typing, a warning before a long upload that would be refused,
// and one press of the button per answer.  Every form works without this file.

const rupiah = (value) => `Rp${String(value).replace(/\B(?=(\d{3})+$)/g, ".")}`;

function showTotal(total) {
  const count = Number(document.getElementById(total.dataset.of).value);
  total.hidden = !(Number.isInteger(count) && count > 0);
  total.querySelector("output").textContent = rupiah(count * Number(total.dataset.total));
}

function warnOfSize(field) {
  const warning = field.parentElement.querySelector("[data-warning]");
  const large = [...field.files].filter((file) => file.size > Number(field.dataset.bytesMax));
  const said = large.map((file) => `${file.name}: ${field.dataset.tooLarge}`);
  warning.hidden = said.length === 0;
  warning.textContent = said.join(" ");
}

for (const total of document.querySelectorAll("[data-total]")) {
  const field = document.getElementById(total.dataset.of);
  total.closest("form").addEventListener("input", () => showTotal(total));
  showTotal(total);
}

for (const field of document.querySelectorAll("[data-bytes-max]")) {
  field.addEventListener("change", () => warnOfSize(field));
}

for (const form of document.querySelectorAll("form[data-busy]")) {
  const button = form.querySelector("button:not([type=button])");
  const words = button.textContent;
  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.textContent = form.dataset.busy;
  });
  // A browser that goes back shows the page as it was left.
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.textContent = words;
  });
}
