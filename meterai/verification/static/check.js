// Comforts of checking: printing a report, and reading the QR code of a stamp with the camera, where
// the browser can do it by itself.  Every page works without this file.

const LOOK_MS = 250; // between two looks; a look takes some 50 on a cheap phone
const OF_A_STAMP = /\/c\/([0-9a-z]{22}(?:\/[0-9a-z]{1,200})?)\/?$/i;

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

class Scanner {
  constructor(part, detector) {
    this.detector = detector;
    this.button = part.querySelector("[data-start]");
    this.video = part.querySelector("video");
    this.status = part.querySelector("[role=status]");
    this.start = this.button.textContent;
    this.button.addEventListener("click", () => (this.stream ? this.end() : this.begin()));
    // The camera is not left on for who looks elsewhere.
    document.addEventListener("visibilitychange", () => document.hidden && this.end());
  }

  async begin() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      this.status.textContent = this.status.dataset.refused;
      return;
    }
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    this.button.textContent = this.button.dataset.stop;
    this.status.textContent = this.status.dataset.looking;
    await this.video.play();
    this.look();
  }

  async look() {
    if (!this.stream) return;
    const found = await this.detector.detect(this.video).catch(() => []);
    for (const { rawValue } of found) {
      // Only ever to our own page, whatever address the code has.
      const stamp = OF_A_STAMP.exec(rawValue);
      if (stamp && this.stream) {
        this.end();
        location.assign(`/c/${stamp[1].toUpperCase()}`);
        return;
      }
      this.status.textContent = this.status.dataset.foreign;
    }
    setTimeout(() => this.look(), LOOK_MS);
  }

  end() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.hidden = true;
    this.button.textContent = this.start;
    this.status.textContent = "";
  }
}

const part = document.querySelector("[data-camera]");
if (part && "BarcodeDetector" in window && navigator.mediaDevices) {
  const formats = await BarcodeDetector.getSupportedFormats();
  if (formats.includes("qr_code")) {
    part.hidden = false;
    new Scanner(part, new BarcodeDetector({ formats: ["qr_code"] }));
  }
}
