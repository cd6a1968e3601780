// Follows a job as server-sent events, through lost connections, until it is done.

import { authorization, type Job, Refused, type Settings } from "./index.ts";
import type { components } from "./schema.ts";

/** Something that happened to a job, or the job as a whole. */
export type JobNews =
  | { type: "snapshot"; job: Job }
  | { type: "event"; event: components["schemas"]["JobEvent"] };

interface Frame {
  id: string | undefined;
  name: string;
  data: string;
}

const PAUSE_MS = 1000;

/** Tells everything that happens to a job, each event once. It ends with the job, or when `signal` is aborted. */
export async function* follow(settings: Settings, id: string, signal?: AbortSignal): AsyncGenerator<JobNews> {
  let last: string | undefined;
  while (!signal?.aborted) {
    const headers: Record<string, string> = { ...authorization(settings), Accept: "text/event-stream" };
    if (last !== undefined) headers["Last-Event-ID"] = last;
    try {
      const answer = await fetch(`${settings.url}/api/v1/jobs/${id}/events`, { headers, signal: signal ?? null });
      if (answer.status === 204) return;
      if (!answer.ok || answer.body === null) throw new Refused((await answer.json()) as Refused["problem"]);
      for await (const frame of frames(answer.body)) {
        last = frame.id ?? last;
        const told = JSON.parse(frame.data);
        yield frame.name === "job.snapshot" ? { type: "snapshot", job: told } : { type: "event", event: told };
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof Refused && !error.problem.retryable) throw error;
    }
    // The stream ends with the job: the next request is answered 204. Otherwise it goes on where it was cut.
    await new Promise((resolve) => setTimeout(resolve, last === undefined ? PAUSE_MS : PAUSE_MS / 4));
  }
}

async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const [reader, decoder] = [body.getReader(), new TextDecoder()];
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const parts = rest.split(/\r?\n\r?\n/);
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const frame = read(part);
        if (frame !== undefined) yield frame;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A frame without data is a comment that keeps the line open. */
function read(part: string): Frame | undefined {
  const frame: Frame = { id: undefined, name: "message", data: "" };
  const data: string[] = [];
  for (const line of part.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") frame.id = value;
    if (field === "event") frame.name = value;
    if (field === "data") data.push(value);
  }
  if (data.length === 0) return undefined;
  frame.data = data.join("\n");
  return frame;
}
