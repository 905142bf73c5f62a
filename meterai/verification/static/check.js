// Prints a report; cuts what was stamped out of a file that was checked from here; reads the QR code of a stamp
// by camera where the browser can.  Every page works without this file.

// Is done once more where the page was written anew, which forgets what listened on it.
function show(file) {
  const button = document.querySelector("[data-print]");
  const link = document.querySelector("[data-sealed]");
  if (button) Object.assign(button, { hidden: false, onclick: () => print() });
  if (!link || !file) return;
  link.href = URL.createObjectURL(file.slice(0, link.dataset.sealed, "application/pdf"));
  link.hidden = false;
  link.nextElementSibling.remove(); // the form that asks for the file again
}

// The verdict comes into this page, which still has the file; any other answer the browser gets by itself.
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
      // Only ever to our own page, whatever address the code has; which says so where it is not ours.
      if (/\/c\/[0-9a-z]{22}(\/[0-9a-z]+)?\/?$/i.test(rawValue) && stream) {
        end();
        location = `/check?serial=${encodeURIComponent(rawValue)}`;
        return;
      }
      status.textContent = says.foreign;
    }
    setTimeout(look, 250); // one takes some 50
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
  // The camera is not left on for who looks elsewhere.
  document.onvisibilitychange = () => document.hidden && end();
  part.hidden = false;
}
