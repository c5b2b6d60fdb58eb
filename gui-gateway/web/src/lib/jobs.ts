// The queue of asynchronous operations: REST, through the gateway's proxy. ALL_SCOPES needs the profile SYSTEM_ADMIN.
import { call } from "./api";
import { oneAt } from "./components";

export const STATES = ["waiting", "delayed", "processing", "errors"] as const;
export type State = (typeof STATES)[number];
export const ALL_SCOPES = "*";

export interface Job {
    id: string;
    scope: string;
    status: "WAITING" | "DELAYED" | "PROCESSING" | "ERROR";
    registration: string;
    handler: string;
    action?: string;
    objectType?: string;
    objectId?: string;
    user?: string;
    createdAt: string;
    availableAt?: string;
    startedAt?: string;
    leaseExpiresAt?: string;
    worker?: string;
    attempts: number;
    maxAttempts: number;
    error?: { code: string; message: string; at?: string };
}

export interface Summary extends Record<State, number> { oldestWaitingMs: number }

/** Empty scope or registration: what is said of all of them; it has no jobs of its own. */
export interface Registration extends Record<State, number> {
    scope: string;
    registration: string;
    handler: string;
    oldestWaitingMs: number;
    paused: boolean;
    perSecond: number;
}

/** Which jobs: "" is any. */
export interface Which { scope: string; registration: string; objectId: string }

const ROOT = "/core/rest/jobs";
export const PAGE = 50;

function query(values: Record<string, string | number>): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(values))
        if (value !== "")
            search.set(name, String(value));
    return search.size > 0 ? `?${search}` : "";
}

const read = <T>(path: string, signal: AbortSignal) => call<T>("GET", `${ROOT}/${path}`, undefined, { signal });
const dryRun = async (method: "POST" | "DELETE", path: string, which: Which) =>
    (await call<{ jobs: number }>(method, `${ROOT}/${path}${query({ ...which, dryRun: "true" })}`)).jobs;

export const jobs = {
    summary: (scope: string, signal: AbortSignal) => read<Summary>(`summary${query({ scope })}`, signal),
    registrations: (scope: string, signal: AbortSignal) => read<Registration[]>(`registrations${query({ scope })}`, signal),
    list: (state: State, which: Which, start: number, signal: AbortSignal) =>
        read<{ found: number; results: Job[] }>(`${state}${query({ ...which, start, max: PAGE })}`, signal),

    retry: (job: Job) => call("POST", `${ROOT}/retry/${job.id}${query({ scope: job.scope })}`),
    drop: (job: Job) => call("DELETE", `${ROOT}/errors/${job.id}${query({ scope: job.scope })}`),
    wouldRetry: (which: Which) => dryRun("POST", "retry", which),
    retryAll: (which: Which) => call("POST", `${ROOT}/retry${query({ ...which })}`),
    wouldDrop: (which: Which) => dryRun("DELETE", "errors", which),
    dropAll: (which: Which) => call("DELETE", `${ROOT}/errors${query({ ...which })}`),
    pause: (scope: string, registration: string, paused: boolean) =>
        call("POST", `${ROOT}/${paused ? "pause" : "resume"}${query({ scope, registration })}`),

    /** Of a registration, which is a document; "": it is none, or not to be seen. */
    async nameOf(registration: string): Promise<string> {
        try {
            return (await call<{ name: string }[]>("GET", oneAt("DOCUMENT", registration)))[0]?.name ?? "";
        } catch {
            return "";
        }
    },
};
