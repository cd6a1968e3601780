// Submits a job and follows it to its end, then submits another and cancels it.
//
//   CHORUS_URL=http://127.0.0.1:8000 CHORUS_TOKEN=… npm run example

import { chorus, follow, taken } from "../src/index.ts";

const token = process.env["CHORUS_TOKEN"];
if (token === undefined) throw new Error("CHORUS_TOKEN is not set; `chorus token --email you@example.org` makes one");
const settings = { url: process.env["CHORUS_URL"] ?? "http://127.0.0.1:8000", token };
const api = chorus(settings);

const submit = async (kind: string) =>
  taken(
    await api.POST("/api/v1/jobs", {
      params: { header: { "Idempotency-Key": crypto.randomUUID() } },
      body: { kind },
    }),
  );

const job = await submit("demo.pair");
console.log(`submitted ${job.id}: ${job.status}`);
for await (const news of follow(settings, job.id)) {
  if (news.type === "snapshot") console.log(`  ${news.job.status}, ${news.job.progress.completed}/${news.job.progress.total}`);
  else console.log(`  ${news.event.name}${news.event.step === null ? "" : ` ${news.event.step}`}`);
}
const done = taken(await api.GET("/api/v1/jobs/{id}", { params: { path: { id: job.id } } }));
console.log(`it ${done.status}: ${JSON.stringify(done.result)}`);

// This one fails at its first step and waits for somebody to decide: there is time to cancel it.
const other = await submit("demo.fail");
const canceled = await api.POST("/api/v1/jobs/{id}/cancel", {
  params: { path: { id: other.id }, header: { Prefer: "wait=10" } },
});
console.log(`the other one is ${taken(canceled).status}`);
