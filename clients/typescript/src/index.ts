// A typed client of the Chorus API: every path, parameter, body and answer as the OpenAPI document tells them.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.ts";

export { follow, type JobNews } from "./follow.ts";
export type { components, operations, paths } from "./schema.ts";

/** A job, as it is told. */
export type Job = components["schemas"]["Job"];
/** Why a request was not done. */
export type Problem = components["schemas"]["Problem"];

/** Where the API is, and who calls. */
export interface Settings {
  /** Such as `http://127.0.0.1:8000`. */
  url: string;
  /** A bearer token; not needed for what needs none. */
  token?: string;
}

/** The client of openapi-fetch, typed by the document. */
export type Chorus = Client<paths>;

/** A client that sends its token with every request. */
export function chorus(settings: Settings): Chorus {
  return createClient<paths>({ baseUrl: settings.url, headers: authorization(settings) });
}

/** The header by which a caller is known. */
export function authorization({ token }: Settings): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** A refusal as an error: its message is what a person can do about it. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = problem.code;
    this.problem = problem;
  }
}

/** What was answered, or the refusal thrown. */
export function taken<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.error !== undefined) throw new Refused(answer.error as Problem);
  return answer.data as T;
}
