// Puts the SHA-256 of a chosen file into a field; the file stays here.
const part = document.querySelector("[data-hash]");
part.hidden = !window.crypto.subtle;
part.querySelector("input").onchange = async ({ target }) => {
  const hash = await crypto.subtle.digest("SHA-256", await target.files[0].arrayBuffer());
  document.getElementById(part.dataset.hash).value = [...new Uint8Array(hash)]
    .map((one) => one.toString(16).padStart(2, "0"))
    .join("");
};
