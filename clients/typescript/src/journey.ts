// An order, paid at the stand-in bank, a document stamped, downloaded and checked:
// node build/journey.js URL KEY BANK DOCUMENT STAMPED
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];

const [url, key, bank, document, stamped] = process.argv.slice(2);
if (!url || !key || !bank || !document || !stamped) throw new Error("URL KEY BANK DOCUMENT STAMPED");

const api = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

/** The answer; throws with the code of a refusal. */
function good<T>(given: { data?: T; error?: Problem; response: Response }): T {
  if (given.data === undefined) throw new Error(`${given.response.status} ${given.error?.code}`);
  return given.data;
}

/** Looks every half second until something is there. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 240; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(500);
  }
  throw new Error("waited in vain");
}

const keyed = () => ({ "Idempotency-Key": randomUUID() });

const order = good(await api.POST("/v1/orders", { params: { header: keyed() }, body: { quantity: 1 } }));
await fetch(`${bank}/standin/pay`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ qr_content: order.payment.qr_content }),
});
const path = { order_id: order.id };
await until(async () => {
  const seen = good(await api.GET("/v1/orders/{order_id}", { params: { path } }));
  return seen.state === "executed" ? seen : undefined;
});

const stamping = good(
  await api.POST("/v1/stampings", {
    params: { header: keyed() },
    body: {
      document: new Blob([await readFile(document)], { type: "application/pdf" }),
      placement: JSON.stringify({ corner: "bottom_right" }),
    },
    bodySerializer(body) {
      const form = new FormData();
      for (const [name, value] of Object.entries(body)) form.append(name, value);
      return form;
    },
  }),
);
const of = { path: { stamping_id: stamping.id } };
const delivered = await until(async () => {
  const seen = good(await api.GET("/v1/stampings/{stamping_id}", { params: of }));
  return seen.state === "delivered" ? seen : undefined;
});
const file: Blob = good(
  await api.GET("/v1/stampings/{stamping_id}/document", { params: of, parseAs: "blob" }),
);
await writeFile(stamped, Buffer.from(await file.arrayBuffer()));

const checked = good(
  await api.POST("/v1/verifications", {
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
    bodySerializer: (body) => body,
  }),
);
console.log(JSON.stringify({ verdict: checked.verdict, same: checked.serials[0] === delivered.serials[0] }));

const refused = await api.POST("/v1/orders", { params: { header: keyed() }, body: { quantity: 0 } });
console.log(JSON.stringify({ status: refused.response.status, code: refused.error?.code }));
