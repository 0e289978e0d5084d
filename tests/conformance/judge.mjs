// Judges what the suite has written: every scenario that a requirement set scores must be there and pass, what is
// not scored must pass too unless it is about tasks, and nothing may warn but what stands in `declined`.
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";

const out = process.argv[2];
// How many scenarios each frozen set scores, and what it leaves unscored.
const sets = { "2025-11-25": 30, "2026-07-28": 37 };
const unscored = {
  "2025-11-25": ["server-session-lifecycle", "json-schema-2020-12", "server-sse-polling"],
  "2026-07-28": ["json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"],
};
// What the suite only mentions where a server does without it, and ours does not.
const wanted = { "2025-11-25": ["server-sse-priming-event", "server-sse-retry-field", "server-sse-disconnect-resume"] };
// Recommendations that are declined, for which the suite warns. The scenario answers a question in its first request,
// without a `requestState`; an answer without the state of its question could be a consent to anything, so it is
// ignored and the question is asked. That unknown keys are ignored is proved in tests/app/client_features/input_required.rs.
const declined = { "2026-07-28": ["sep-2322-ignore-unexpected-params"] };
let failed = false;
const fail = (text) => {
  failed = true;
  console.error(`FAILED: ${text}`);
};

for (const [revision, scored] of Object.entries(sets)) {
  const folder = join(out, revision);
  if (!existsSync(folder)) {
    fail(`${revision}: there are no results; see ${folder}.log`);
    continue;
  }
  const passed = new Set();
  const seen = new Set();
  const succeeded = new Set();
  let checks = 0;
  for (const name of readdirSync(folder)) {
    const scenario = name.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "");
    seen.add(scenario);
    const path = join(folder, name, "checks.json");
    if (!existsSync(path)) {
      fail(`${revision} ${scenario}: there is no checks.json`);
      continue;
    }
    const isTask = scenario.startsWith("tasks-");
    let good = true;
    for (const check of JSON.parse(readFileSync(path, "utf8"))) {
      checks += 1;
      if (check.status === "SUCCESS") succeeded.add(check.id);
      const isDeclined = check.status === "WARNING" && declined[revision]?.includes(check.id);
      const isBad = !isDeclined && (check.status === "FAILURE" || check.status === "WARNING");
      if (!isBad) continue;
      good = false;
      if (!isTask) fail(`${revision} ${scenario}: ${check.status} ${check.id}: ${check.errorMessage ?? ""}`);
    }
    if (good) passed.add(scenario);
  }
  for (const scenario of unscored[revision]) {
    if (!seen.has(scenario)) fail(`${revision} ${scenario}: it did not run`);
  }
  for (const check of wanted[revision] ?? []) {
    if (!succeeded.has(check)) fail(`${revision}: ${check} is no success`);
  }
  const others = (scenario) => unscored[revision].includes(scenario) || scenario.startsWith("tasks-");
  const count = [...passed].filter((scenario) => !others(scenario)).length;
  const extra = [...passed].filter(others).length;
  console.log(`${revision}: ${count} of ${scored} scored scenarios pass, ${extra} unscored ones; ${checks} checks`);
  if (count !== scored) fail(`${revision}: ${count} of ${scored} scored scenarios pass`);
}
process.exit(failed ? 1 : 0);
