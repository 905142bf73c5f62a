// Prints a report; reads the QR code of a stamp by camera where the browser can.  Every page works
// without this file.

const OF_A_STAMP = /\/c\/([0-9a-z]{22}(?:\/[0-9a-z]{1,200})?)\/?$/i;

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.onclick = () => print();
}

function scan(part, detector) {
  const button = part.querySelector("[data-start]");
  const video = part.querySelector("video");
  const status = part.querySelector("[role=status]");
  const start = button.textContent;
  let stream;

  function end(says = "") {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.textContent = start;
    status.textContent = says;
  }

  async function look() {
    if (!stream) return;
    for (const { rawValue } of await detector.detect(video).catch(() => [])) {
      // Only ever to our own page, whatever address the code has; which says so where it is not ours.
      const stamp = OF_A_STAMP.exec(rawValue);
      if (stamp && stream) {
        end();
        const isOurs = rawValue.toUpperCase().startsWith(status.dataset.ours);
        location = `/c/${stamp[1].toUpperCase()}${isOurs ? "" : "?address=elsewhere"}`;
        return;
      }
      status.textContent = status.dataset.foreign;
    }
    setTimeout(look, 250); // one takes some 50
  }

  button.onclick = async () => {
    if (stream) return end();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      button.textContent = button.dataset.stop;
      status.textContent = status.dataset.looking;
      await video.play();
      look();
    } catch {
      end(status.dataset.refused);
    }
  };
  // The camera is not left on for who looks elsewhere.
  document.addEventListener("visibilitychange", () => document.hidden && end());
  part.hidden = false;
}

const part = document.querySelector("[data-camera]");
if (part && window.BarcodeDetector && navigator.mediaDevices) {
  const formats = await BarcodeDetector.getSupportedFormats();
  if (formats.includes("qr_code")) scan(part, new BarcodeDetector({ formats: ["qr_code"] }));
}
