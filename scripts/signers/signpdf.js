// Signs each file of a folder by @signpdf: KEYS.p12 PASSWORD FROM TO [plain].
const fs = require("fs");
const path = require("path");
const { SignPdf } = require("@signpdf/signpdf");
const { P12Signer } = require("@signpdf/signer-p12");
const { plainAddPlaceholder } = require("@signpdf/placeholder-plain");

async function main([keys, passphrase, from, to]) {
  for (const name of fs.readdirSync(from)) {
    try {
      const signer = new P12Signer(fs.readFileSync(keys), { passphrase });
      const waiting = plainAddPlaceholder({
        pdfBuffer: fs.readFileSync(path.join(from, name)),
        reason: "Saya setuju",
        contactInfo: "",
        name: "Notaris",
        location: "",
      });
      fs.writeFileSync(path.join(to, name), await new SignPdf().sign(waiting, signer));
    } catch (cause) {
      process.stderr.write(`${name}: ${cause}\n`);
    }
  }
}

main(process.argv.slice(2));
