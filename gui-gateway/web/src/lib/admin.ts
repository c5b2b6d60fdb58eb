// Administration: REST, through the gateway's proxy. The core that answers asks all members; who did not answer is told beside the rows.
import { ApiError, call } from "./api";
import type { Session } from "./session";

export const isAdmin = (session: Session) => session.profiles.some((name) => name === "ADMIN" || name === "SYSTEM_ADMIN");

export interface Member {
    id: string;
    role: "core" | "gateway";
    address: string;
    version: string;
    startedAt: string;
    load: number;
    draining: boolean;
    self: boolean;
}

export interface RedisLink {
    mode: "none" | "simple" | "sentinel";
    master?: string;
    state?: string;
    links?: number;
    ready?: number;
    reconnects?: number;
    switches?: number;
    lastLoss?: string;
    sentinels?: string[];
}

export interface Health { status: string; components?: Record<string, { status: string } | undefined> }
export interface Cluster { self: string | null; redis: RedisLink; members: Member[] }

export type CheckStatus = "ok" | "warn" | "fail";
export interface CheckResult { member: string; name: string; status: CheckStatus; detail: string; advice: string | null; ms: number | null }
export interface Check { status: CheckStatus; at: string; members: number; results: CheckResult[] }

export interface Asked { id: string; ok: boolean; error: string | null }
export interface Rows<R> { found: number; results: R[]; next: string | null; members: Asked[] }

export interface OpenDocument {
    name: string;
    member: string;
    state: string;
    connections: number;
    present: number;
    unstoredBytes: number;
    bytes: number;
    readOnly: boolean;
    unchangedForMs: number | null;
}

export interface Connection {
    id: string;
    member: string;
    user: string;
    address: string;
    protocol: string;
    bytesIn: number;
    bytesOut: number;
    queuedBytes: number;
    behind: boolean;
    ageMs: number;
    documentCount: number;
    documents: { name: string; readOnly: boolean }[];
}

export interface Held { category: string; id: string; user?: string; since?: string; expires?: string }
export interface SessionRow { id: string; user: string; created: string; lastAccessed: string; maxInactiveS: number }
export interface Lock { user: string; address: string; failures: number; waitMs: number; member: string }
export interface Logger { configuredLevel: string | null; effectiveLevel: string }
export interface Loggers { levels: string[]; loggers: Record<string, Record<string, Logger>>; members: Asked[] }
export interface Fact { seq: number; at: string; user: string; action: string; objectType: string; objectId: string; detail: Record<string, unknown> }

const ROOT = "/core/rest/admin";
const GATEWAY_SESSIONS = "/gui/actuator/sessions";
const PAGE = 100;
export const MOST_DOCUMENTS = 1000;

function query(values: Record<string, string | number | null | undefined>): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(values))
        if (value !== null && value !== undefined && value !== "")
            search.set(name, String(value));
    return search.size > 0 ? `?${search}` : "";
}

const read = <T>(path: string, signal: AbortSignal) => call<T>("GET", path, undefined, { signal });
const part = encodeURIComponent;

// ---- sessions: the core asks all gateways; without Redis only the gateway itself knows them ----

interface SpringSession { id: string; creationTime: string; lastAccessedTime: string; maxInactiveInterval: number }

const knowsNoGateway = (error: unknown) => error instanceof ApiError && error.status === 409;

async function sessionsOf(user: string, signal: AbortSignal): Promise<SessionRow[]> {
    try {
        return (await read<{ results: SessionRow[] }>(`${ROOT}/sessions${query({ user })}`, signal)).results;
    } catch (error) {
        if (!knowsNoGateway(error))
            throw error;
        const own = await read<{ sessions: SpringSession[] }>(`${GATEWAY_SESSIONS}${query({ username: user })}`, signal);
        return own.sessions.map((s) => ({
            id: s.id, user, created: s.creationTime, lastAccessed: s.lastAccessedTime, maxInactiveS: s.maxInactiveInterval,
        }));
    }
}

async function end(atCore: string, atGateway: string): Promise<void> {
    try {
        await call("DELETE", atCore);
    } catch (error) {
        if (!knowsNoGateway(error))
            throw error;
        await call("DELETE", atGateway);
    }
}

export const admin = {
    cluster: (signal: AbortSignal) => read<Cluster>(`${ROOT}/cluster`, signal),
    /** Null: nobody says; it may have a port of its own. */
    health: (signal: AbortSignal) => call<Health>("GET", "/core/actuator/health", undefined, { signal, quiet: true }).catch(() => null),
    check: () => call<Check>("GET", `${ROOT}/check`),
    drain: (member: string, draining: boolean) => call("PUT", `${ROOT}/drain`, { member, draining }),

    documents: (contains: string, max: number, signal: AbortSignal) =>
        read<Rows<OpenDocument>>(`${ROOT}/documents${query({ contains, max })}`, signal),
    closeDocument: (name: string, reason: string) => call("POST", `${ROOT}/documents/${part(name)}/close`, reason ? { reason } : {}),
    connections: (user: string, signal: AbortSignal) =>
        read<Rows<Connection>>(`${ROOT}/connections${query({ user, max: PAGE })}`, signal),
    closeConnection: (c: Connection, reason: string) =>
        call("DELETE", `${ROOT}/connections/${part(c.member)}/${part(c.id)}${query({ reason })}`),

    reservations: (user: string, signal: AbortSignal) =>
        read<{ found: number; results: Held[] }>(`/core/rest/reservation${query({ user, max: PAGE })}`, signal),
    breakReservation: (held: Held) => call("DELETE", `/core/rest/reservation/${held.category}/${part(held.id)}`),

    sessions: sessionsOf,
    endSession: (id: string) => end(`${ROOT}/sessions/${part(id)}`, `${GATEWAY_SESSIONS}/${part(id)}`),
    endAllSessions: (user: string) => end(`${ROOT}/sessions${query({ user })}`, `${GATEWAY_SESSIONS}${query({ username: user })}`),
    locks: (signal: AbortSignal) => read<Rows<Lock>>(`${ROOT}/locks`, signal),
    unlock: (user: string) => call("POST", `/core/rest/unlock/${part(user)}`),

    caches: (signal: AbortSignal) => read<string[]>("/core/rest/caches", signal),
    clearCaches: () => call<{ nodes: { id: string; ok: boolean }[] }>("DELETE", "/core/rest/caches"),

    loggers: (signal: AbortSignal) => read<Loggers>(`${ROOT}/loggers`, signal),
    setLogger: (name: string, level: string | null) =>
        call<{ members: Asked[] }>("PUT", `${ROOT}/loggers/${part(name)}`, { level }),

    audit: (user: string, action: string, before: number | null, signal: AbortSignal) =>
        read<{ results: Fact[]; next: number | null }>(`${ROOT}/audit${query({ user, action, before, max: 50 })}`, signal),
};
