// Users and groups of the scope. Whoever may change them sees all of them; others see names.
import { call, persist } from "./api";

export interface Brief { id: string; displayName?: string | null; enabled?: boolean }
export interface Page { results: Brief[]; next?: string }

interface Principal extends Brief {
    mail?: string | null;
    profiles?: string[]; /* teams beyond those that name it */
    groups?: string[]; /* that have it, and those that have these; not sent */
    [other: string]: unknown;
}
export interface User extends Principal {
    firstname?: string | null;
    lastname?: string | null;
    credentialsExpired?: boolean;
    version?: number;
}
export interface Group extends Principal { members?: string[]; data?: { version?: number; [other: string]: unknown } }

const USERS = "/core/rest/users", GROUPS = "/core/rest/groups";
export const MOST_SHOWN = 200;
export const PASSWORD_LEAST = 8;
export const ID_MOST = 200;

const part = encodeURIComponent;

function callsOf<T extends Principal>(root: string) {
    return {
        search: (name: string, signal?: AbortSignal, max = MOST_SHOWN) =>
            call<Page>("GET", `${root}/search?${new URLSearchParams({ ...(name && { name }), max: String(max) })}`, undefined, { signal }),
        get: (id: string) => persist<T>("GET", `${root}/${part(id)}`),
        /** Empty IDS are none; one and several look the same. */
        async several(ids: string[]): Promise<T[]> {
            if (ids.length === 0)
                return [];
            const found = await call<T | T[]>("GET", `${root}/${ids.map(part).join(",")}`);
            return Array.isArray(found) ? found : [found];
        },
        create: (one: { id: string } & Partial<T> & { password?: string }) => call<T>("POST", root, one),
        /** Refused with 409 when it is no longer the version that was read. */
        save: (one: T) => call<T>("POST", `${root}/${part(one.id)}`, one),
        remove: (id: string) => call("DELETE", `${root}/${part(id)}`),
    };
}

export const users = {
    ...callsOf<User>(USERS),
    /** Of somebody else: his sessions end. */
    setPassword: (id: string, password: string, expired: boolean) =>
        call("PUT", `${USERS}/${part(id)}/password`, { new: password, credentialsExpired: expired }),
    changeOwnPassword: (id: string, old: string, password: string) =>
        call("PUT", `${USERS}/${part(id)}/password`, { old, new: password }),
};
export const groups = callsOf<Group>(GROUPS);

/** The teams that the scope lists, and the roles. */
export async function teamsOf(scope: string): Promise<string[]> {
    interface Scope { people?: { profiles?: { id: string }[] } }
    const found = await call<Scope[]>("GET", `/core/rest/scope/${part(scope)}`).catch(() => []);
    return [...new Set([...(found[0]?.people?.profiles ?? []).map((team) => team.id), "ADMIN", "SECURITY_ADMIN", "FUNCTIONAL_ADMIN"])];
}
