// A form with data-passkey is sent with the answer of the authenticator.
const form = document.querySelector("form[data-passkey]"), act = form?.dataset.passkey;
const kind = window.PublicKeyCredential;
let waiting;
async function ask(more) {
  waiting?.abort();
  const { signal } = waiting = new AbortController();
  const asked = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  // The session is too old for a new passkey and needs a fresh proof first.
  if (asked.status === 403 && form.dataset.prove) return location.assign(form.dataset.prove);
  const parse = act === "get" ? "parseRequestOptionsFromJSON" : "parseCreationOptionsFromJSON";
  const publicKey = kind[parse](await asked.json());
  const made = await navigator.credentials[act]({ publicKey, signal, ...more });
  form.elements.credential.value = JSON.stringify(made);
  form.submit();
}
if (kind?.parseCreationOptionsFromJSON && form) {
  form.hidden = false;
  // Without a fresh proof the form leads to the page to sign in again.
  if (act !== "prove") form.onsubmit = (event) => {
    event.preventDefault();
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    ask().catch(() => { failed.hidden = false; });
  };
  // A passkey is offered while the address is typed, if the browser supports that.
  if (act === "get" && (await kind.isConditionalMediationAvailable?.())) ask({ mediation: "conditional" }).catch(() => {});
}
