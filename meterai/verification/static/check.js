// Prints a report, extracts the sealed revision of a file that was checked on this page, and reads the QR code of a
// stamp by camera if the browser can.  Every page works without this file.

// Called again after the page was rewritten, which removes its event handlers.
function show(file) {
  const button = document.querySelector("[data-print]");
  const link = document.querySelector("[data-sealed]");
  if (button) Object.assign(button, { hidden: false, onclick: () => print() });
  if (!link || !file) return;
  link.href = URL.createObjectURL(file.slice(0, link.dataset.sealed, "application/pdf"));
  link.hidden = false;
  link.nextElementSibling.remove(); // the form that requests the file again
}

// The verdict is written into this page, which still has the file; for any other answer the form is submitted.
addEventListener("submit", async (event) => {
  const form = event.target;
  const file = form.elements.document?.files[0];
  if (event.defaultPrevented || !file) return;
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => {});
  if (!answer?.ok || answer.redirected) return form.submit();
  document.write(await answer.text());
  document.close();
  show(file);
});

show();

const part = document.querySelector("[data-camera]");
const Detector = part && navigator.mediaDevices && window.BarcodeDetector;
if ((await Detector?.getSupportedFormats())?.includes("qr_code")) {
  const detector = new Detector({ formats: ["qr_code"] });
  const [button, video, status] = part.querySelectorAll("button, video, [role]");
  const says = status.dataset;
  const start = button.textContent;
  let stream;

  const end = (said = "") => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.textContent = start;
    status.textContent = said;
  };

  const look = async () => {
    if (!stream) return;
    for (const { rawValue } of await detector.detect(video).catch(() => [])) {
      // Always leads to our own page, which states if the address in the code is not ours.
      if (/\/c\/[0-9a-z]{22}(\/[0-9a-z]+)?\/?$/i.test(rawValue) && stream) {
        end();
        location = `/check?serial=${encodeURIComponent(rawValue)}`;
        return;
      }
      status.textContent = says.foreign;
    }
    setTimeout(look, 250); // milliseconds; a detection takes 50
  };

  button.onclick = async () => {
    if (stream) return end();
    try {
      video.srcObject = stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.hidden = false;
      button.textContent = button.dataset.stop;
      status.textContent = says.looking;
      await video.play();
      look();
    } catch {
      end(says.refused);
    }
  };
  // The camera is switched off when the page is hidden.
  document.onvisibilitychange = () => document.hidden && end();
  part.hidden = false;
}
