// Reservations of documents: REST, through the gateway's proxy. A reservation belongs to the browser session, so the tabs of one
// person share it.
import { ApiError, call } from "./api";

export interface Reservation {
    reserved: boolean;
    user?: string;
    expires?: string;
    token?: number; /* there when it is this session's own */
}

export interface Blocker {
    user: string;
    editing: boolean;
}

const ROOT = "/core/rest/reservation";
const refs = (name: string, token?: number) => [{ category: "DOCUMENT", id: name, token }];

async function one(path: string, name: string, token?: number, keepalive = false): Promise<Reservation> {
    const list = await call<Reservation[]>("POST", `${ROOT}${path}`, refs(name, token), { quiet: true, keepalive });
    return list[0] ?? { reserved: false };
}

/** Who stands in the way of a request that was refused; empty for other troubles. */
export function blockersOf(error: unknown): Blocker[] {
    const details = error instanceof ApiError && error.status === 423 ? error.details : null;
    const list = (details as { reservations?: unknown } | null)?.reservations;
    return Array.isArray(list) ? list as Blocker[] : [];
}

export const reservations = {
    state: (name: string) => one("", name),
    take: (name: string, force: boolean) => one(`/reserve${force ? "?break=true" : ""}`, name),
    /** These two mean the grant of the token: one that comes late leaves a later grant alone. */
    renew: (name: string, token: number) => one("/renew", name, token),
    /** Also while the page goes away. */
    release: (name: string, token: number) => one("/release", name, token, true),
};
