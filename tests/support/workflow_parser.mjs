// Reads workflows with GitHub's own parser: `node workflow_parser.mjs FOLDER_OF_NODE_MODULES FILE...`.
// Prints a JSON list with, for each file, its errors and its jobs as GitHub understands them; exits 1 on an error.
// The package is written for bundlers and imports JSON without saying so, which Node refuses; hence the hook.
import {readFileSync} from "node:fs";
import {registerHooks} from "node:module";
import {pathToFileURL} from "node:url";

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url.endsWith(".json") ? {...found, importAttributes: {type: "json"}} : found;
  },
});

const [modules, ...files] = process.argv.slice(2);
const parser = await import(pathToFileURL(`${modules}/@actions/workflow-parser/dist/index.js`));
const trace = new parser.NoOperationTraceWriter();
const results = [];
for (const file of files) {
  const {context, value} = parser.parseWorkflow({name: file, content: readFileSync(file, "utf8")}, trace);
  const template = value ? await parser.convertWorkflowTemplate(context, value) : {jobs: []};
  const jobs = (template.jobs ?? []).map((job) => ({
    name: job.id.value,
    needs: (job.needs ?? []).map((need) => need.value),
    condition: job.if?.expression ?? null,
    steps: (job.steps ?? []).length,
  }));
  results.push({file, errors: context.errors.getErrors().map((error) => error.message), jobs});
}
console.log(JSON.stringify(results));
process.exit(results.some((result) => result.errors.length > 0) ? 1 : 0);
