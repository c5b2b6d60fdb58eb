// REST: one attempt (call), or attempts until the service answers (persist).
// Service trouble (no network, 502, 503, 504) is told apart from refusals, so that pages can wait calmly.
import { Store } from "./store";

const TIMEOUT_MS = 15_000;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 4_000;
const RETRY_AFTER_MOST_MS = 30_000;

export class ApiError extends Error {
    constructor(
        readonly status: number, /* 0: no answer at all */
        readonly code: string,
        message: string,
        readonly retryAfterMs: number,
        readonly requestId = "",
        readonly details: unknown = null,
    ) {
        super(message);
    }

    get away(): boolean {
        return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
    }
}

export interface CallOptions {
    signal?: AbortSignal;
    idempotencyKey?: string;
    text?: boolean; /* the answer is text, not JSON */
    keepalive?: boolean; /* sent also when the page is left meanwhile */
    quiet?: boolean; /* no answer is no news: the page is not told that the service is away */
}

/** True while something that a page needs does not answer: the way to the gateway, the gateway's own service, or the core behind it. */
export const serviceAway = new Store(false);

/* What is away. An answer of one says nothing of the others, but that there is a way. */
const away = new Set<"network" | "gateway" | "core">();

/** A call to PATH was answered (ERROR null), refused, or not answered. */
function noteAnswer(path: string, error: ApiError | null, quiet: boolean): void {
    const service = error?.status === 0 ? "network" : path.startsWith("/core/") ? "core" : "gateway";
    if (service !== "network")
        away.delete("network");
    if (!error?.away)
        away.delete(service);
    else if (!quiet)
        away.add(service);
    serviceAway.set(away.size > 0);
}

let csrf = "";
let onSignedOut: () => void = () => {};
let onStaleCsrf: () => Promise<boolean> = async () => false;

export function setCsrf(token: string): void {
    csrf = token;
}

/** STALECSRF fetches the session anew and tells whether the token has changed (signed in again in another tab). */
export function setSessionHooks(hooks: { signedOut: () => void; staleCsrf: () => Promise<boolean> }): void {
    onSignedOut = hooks.signedOut;
    onStaleCsrf = hooks.staleCsrf;
}

function retryAfterMs(response: Response): number {
    const seconds = Number(response.headers.get("Retry-After"));
    return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MOST_MS) : 0;
}

async function errorOf(response: Response): Promise<ApiError> {
    const body = await response.json().catch(() => ({})) as Record<string, unknown>;
    const text = (value: unknown, otherwise: string) => (typeof value === "string" && value ? value : otherwise);
    return new ApiError(
        response.status,
        text(body.code, `http-${response.status}`),
        text(body.message, "The request could not be carried out."),
        retryAfterMs(response),
        text(body.requestId, ""),
        body.details ?? null,
    );
}

function headersFor(method: string, body: unknown, options: CallOptions): Headers {
    const headers = new Headers({ Accept: options.text ? "*/*" : "application/json" });
    if (body !== undefined)
        headers.set("Content-Type", "application/json");
    if (method !== "GET" && csrf)
        headers.set("X-CSRF-TOKEN", csrf);
    if (options.idempotencyKey)
        headers.set("Idempotency-Key", options.idempotencyKey);
    return headers;
}

async function send(method: string, path: string, body: unknown, options: CallOptions): Promise<Response> {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    try {
        return await fetch(path, {
            method,
            headers: headersFor(method, body, options),
            body: body === undefined ? null : JSON.stringify(body),
            credentials: "same-origin",
            cache: "no-store",
            keepalive: options.keepalive ?? false,
            signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
        });
    } catch (error) {
        if (options.signal?.aborted)
            throw error;
        throw new ApiError(0, "no-answer", "Umbel does not answer.", 0);
    }
}

async function attempt<T>(method: string, path: string, body: unknown, options: CallOptions): Promise<T> {
    const response = await send(method, path, body, options);
    if (!response.ok)
        throw await errorOf(response);
    return (response.status === 204 ? undefined : options.text ? await response.text() : await response.json()) as T;
}

/** One attempt. A 401 ends the session for the whole app, except for calls about the session itself. */
export async function call<T>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
    const aboutSession = path === "/gui/rest/session";
    try {
        const result = await attempt<T>(method, path, body, options)
            .catch(async (error: unknown) => {
                if (error instanceof ApiError && error.status === 403 && method !== "GET" && await onStaleCsrf())
                    return attempt<T>(method, path, body, options);
                throw error;
            });
        noteAnswer(path, null, false);
        return result;
    } catch (error) {
        if (error instanceof ApiError) {
            noteAnswer(path, error, options.quiet ?? false);
            if (error.status === 401 && !aboutSession)
                onSignedOut();
        }
        throw error;
    }
}

/** Sends FILE as the part `file` of a form; TOLD hears which part of it has gone out, 0 to 1. */
export function upload<T>(path: string, file: File, told: (part: number) => void): Promise<T> {
    return new Promise((done, fail) => {
        const request = new XMLHttpRequest(); /* fetch does not tell how far an upload has come */
        const body = new FormData();
        body.append("file", file);
        request.open("POST", path);
        request.responseType = "json";
        request.setRequestHeader("Accept", "application/json");
        request.setRequestHeader("X-CSRF-TOKEN", csrf);
        request.upload.onprogress = (event) => told(event.lengthComputable ? event.loaded / event.total : 0);
        request.onerror = () => fail(new ApiError(0, "no-answer", "Umbel does not answer.", 0));
        request.onload = () => {
            const answer = (request.response ?? {}) as { code?: string; message?: string };
            if (request.status < 400)
                done(answer as T);
            else
                fail(new ApiError(request.status, answer.code ?? "", answer.message ?? "The file was refused.", 0));
        };
        request.send(body);
    });
}

/** One attempt to read a text. */
export const callText = (path: string, options: CallOptions = {}) => call<string>("GET", path, undefined, { ...options, text: true });

function pause(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((done, fail) => {
        const stop = () => {
            clearTimeout(timer);
            fail(signal!.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener("abort", stop);
            done();
        }, ms);
        signal?.addEventListener("abort", stop, { once: true });
    });
}

/** Attempts until the service answers or SIGNAL ends it. Only for requests that may be repeated. */
export async function persist<T>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
    for (let delay = RETRY_FIRST_MS; ; delay = Math.min(delay * 2, RETRY_MOST_MS)) {
        try {
            return await call<T>(method, path, body, options);
        } catch (error) {
            if (!(error instanceof ApiError && error.away))
                throw error;
            await pause(Math.max(error.retryAfterMs, delay * (0.5 + Math.random() / 2)), options.signal);
        }
    }
}
