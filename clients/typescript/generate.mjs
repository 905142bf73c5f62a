// Writes src/api.d.ts from the description of an installation: node generate.mjs URL
import { writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const BLOB = ts.factory.createTypeReferenceNode("Blob");

const tree = await openapiTS(new URL("/openapi.json", process.argv[2]), {
  // A file is no text.
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
await writeFile(new URL("src/api.d.ts", import.meta.url), astToString(tree));
