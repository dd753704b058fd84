// check_asyncapi.mjs FILE: fails when @asyncapi/parser finds an error in it. Warnings are printed.
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const severities = ["error", "warning", "information", "hint"];
for (const { severity, code, path, message } of diagnostics)
    console.log(`${severities[severity]}: ${code} at ${path.join("/")}: ${message}`);
const channels = document?.channels().all().length ?? 0;
console.log(`${channels} channels, ${document?.messages().all().length ?? 0} messages`);
process.exit(document && channels && !diagnostics.some(({ severity }) => severity === 0) ? 0 : 1);
