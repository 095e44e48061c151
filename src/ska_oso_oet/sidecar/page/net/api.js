/** Requests to the REST service. */

import { settings } from "../settings.js";

/** Milliseconds after which a request that is not answered has failed. */
const PATIENCE = 20_000;

/** A refusal or a failure of a request, with what happened and what to do. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status HTTP status; 0 if there was no answer
   * @param {string} kind kind of the error, for programs
   */
  constructor(message, status, kind = "") {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

/**
 * Return the address of a resource, relative to the page.
 *
 * @param {number | null} subarray number of a subarray; null for what concerns all
 * @param {string} path e.g. "/procedures/3"
 */
export function address(subarray, path) {
  const base = subarray === null ? "api/v1.0" : `subarrays/${subarray}/api/v1.0`;
  return new URL(`${base}${path}`, document.baseURI).href;
}

/**
 * Return the headers of every request: who sends it, and that it is this page that does.
 *
 * @returns {Record<string, string>}
 */
export function headers() {
  const user = settings.user.replace(/[^\x20-\x7e\xa0-\xff]/g, "?").trim();
  return { "X-OET-Page": "1", ...(user ? { "X-OET-User": user } : {}) };
}

/**
 * Send a request, and return the JSON of the answer.
 *
 * @param {number | null} subarray number of a subarray; null for what concerns all
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @param {number} [patience] milliseconds that the answer may take
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function call(subarray, method, path, body, patience = PATIENCE) {
  /** @type {RequestInit} */
  const request = { method, headers: headers(), cache: "no-store", signal: AbortSignal.timeout(patience) };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...headers(), "Content-Type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(address(subarray, path), request);
  } catch (error) {
    throw new ApiError(explain(error, patience), 0);
  }
  const json = await answer.json().catch(() => null);
  if (answer.ok) return json;
  throw await refusal(answer, json);
}

/**
 * Return what a refusal says.
 *
 * @param {Response} answer
 * @param {any} [json] its body, if that was read
 */
export async function refusal(answer, json) {
  const body = json ?? (await answer.json().catch(() => null));
  const message = body?.Message ?? `The service answered ${answer.status} ${answer.statusText}.`;
  return new ApiError(message, answer.status, body?.type ?? "");
}

/**
 * @param {unknown} error
 * @param {number} patience
 */
function explain(error, patience) {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `The service did not answer within ${patience / 1000} s. Check whether it carried out the request before you try again.`;
  }
  return "The service cannot be reached. Try again when the connection is back.";
}
