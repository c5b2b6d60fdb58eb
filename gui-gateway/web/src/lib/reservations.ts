// Reservations of documents: REST, through the gateway's proxy. A reservation belongs to the browser session, so the tabs of one
// person share it.
import { ApiError, call } from "./api";

export interface Reservation {
    category?: string;
    id?: string;
    reserved: boolean;
    user?: string;
    since?: string;
    expires?: string;
    token?: number; /* there when it is this session's own */
}

export interface Blocker {
    user: string;
    editing: boolean;
}

const ROOT = "/core/rest/reservation";

async function one(path: string, category: string, id: string, token?: number, keepalive = false): Promise<Reservation> {
    const list = await call<Reservation[]>("POST", `${ROOT}${path}`, [{ category, id, token }], { quiet: true, keepalive });
    return list[0] ?? { reserved: false };
}

/** Who stands in the way of a request that was refused; empty for other troubles. */
export function blockersOf(error: unknown): Blocker[] {
    const details = error instanceof ApiError && error.status === 423 ? error.details : null;
    const list = (details as { reservations?: unknown } | null)?.reservations;
    return Array.isArray(list) ? list as Blocker[] : [];
}

/** The state of several components. */
export const reservationsOfAll = (references: { category: string; id: string }[]) =>
    call<(Reservation & { category: string; id: string })[]>("POST", ROOT, references, { quiet: true });

export const reservationsOf = (category: string) => ({
    state: (id: string) => one("", category, id),
    take: (id: string, force: boolean) => one(`/reserve${force ? "?break=true" : ""}`, category, id),
    /** These two mean the grant of the token: one that comes late leaves a later grant alone. */
    renew: (id: string, token: number) => one("/renew", category, id, token),
    /** Also while the page goes away. */
    release: (id: string, token: number) => one("/release", category, id, token, true),
});

/** Documents by name: a component's body is reserved as its component. */
const ofDocument = reservationsOf("DOCUMENT");
const idOf = (name: string) => /^component\/[^/]+\/(.+)$/s.exec(name)?.[1] ?? name;

export const reservations = {
    state: (name: string) => ofDocument.state(idOf(name)),
    take: (name: string, force: boolean) => ofDocument.take(idOf(name), force),
    renew: (name: string, token: number) => ofDocument.renew(idOf(name), token),
    release: (name: string, token: number) => ofDocument.release(idOf(name), token),
};
