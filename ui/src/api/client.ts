/** The one client of the control plane. Types come from its OpenAPI document. */
import createClient from 'openapi-fetch';
import type { components, paths } from '../../generated/schema';

export type Schemas = components['schemas'];

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;

/** What a path's GET answers. Several areas have bodies of one name, and the document calls those by module. */
export type Answer<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: infer Ok } } }
  ? Json<Ok>
  : never;
/** What a path's POST takes, and what it answers. */
export type Sent<Path extends keyof paths> = paths[Path] extends { post: { requestBody: infer Body } }
  ? Json<Body>
  : never;
export type Made<Path extends keyof paths> = paths[Path] extends {
  post: { responses: infer All };
}
  ? Json<All[keyof All & (200 | 201)]>
  : never;

/** What the API said no with: `message` is one sentence that says what to change. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

let csrf: string | null = null;

export function setCsrf(token: string | null) {
  csrf = token;
}

/** Headers of a state-changing call, for the streams that openapi-fetch does not make. */
export const csrfHeaders = (): Record<string, string> => (csrf ? { 'X-CSRF-Token': csrf } : {});

export const api = createClient<paths>({ baseUrl: window.location.origin });

api.use({
  onRequest({ request }) {
    if (csrf && request.method !== 'GET') request.headers.set('X-CSRF-Token', csrf);
    return request;
  },
});

/** The error of a response that is not ok. */
export function refusal(status: number, body: unknown): ApiError {
  const error = (body as { error?: { code?: string; message?: string; param?: string | null } } | null)
    ?.error;
  if (error?.message) return new ApiError(status, error.code ?? 'error', error.message, error.param ?? null);
  return new ApiError(status, 'unreachable', `The server answered ${status} without an explanation.`);
}

/** The data of a call. Raises ApiError. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer: { data?: T; error?: unknown; response: Response };
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof TypeError) {
      throw new ApiError(0, 'unreachable', 'Noria does not answer. Check that `noria up` is running.');
    }
    throw error;
  }
  if (!answer.response.ok) throw refusal(answer.response.status, answer.error);
  return answer.data as T;
}
