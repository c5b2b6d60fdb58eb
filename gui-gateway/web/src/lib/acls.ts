// ACLs of the scope: ordered entries, the first that names the caller and the permission decides.
import { call, persist } from "./api";

export const PERMISSIONS = [
    "CREATE", "READ", "UPDATE", "DELETE", "READ_HISTORY", "READ_TASK_HISTORY",
    "READ_CONTENT", "UPDATE_CONTENT", "DELETE_CONTENT", "DOWNLOAD_CONTENT", "PRINT", "CREATE_ANNOTATION", "READ_ANNOTATION",
    "BUILD_NEW_DOCUMENT", "OBFUSCATE", "ATTACH", "DETACH",
    "APPROPRIATE", "APPROPRIATE_ALREADY_ASSIGNED", "ASSIGN", "APPLY_ANSWER",
] as const;
export const EVERY = "*"; /* every permission; as a principal: everybody */

export interface Entry { principal: string; permission: string | string[]; grant: "ALLOW" | "DENY" }
export interface Acl {
    id: string;
    name?: string | null;
    entries?: Entry[];
    rules?: { conditions?: string[]; aclId: string }[];
    data?: { version?: number; [other: string]: unknown };
    [other: string]: unknown;
}

export const permissionsOf = (entry: Entry): string[] => Array.isArray(entry.permission) ? entry.permission : [entry.permission];

const covered = (entry: Entry): readonly string[] => permissionsOf(entry).includes(EVERY) ? PERMISSIONS : permissionsOf(entry);

/** Places of entries that can never decide: those before have answered for everybody whom they name. */
export function neverReached(entries: Entry[]): Set<number> {
    return new Set(entries.flatMap((entry, i) => {
        const before = entries.slice(0, i).filter((other) => other.principal === entry.principal || other.principal === EVERY);
        const answered = new Set(before.flatMap(covered));
        const wanted = covered(entry);
        return wanted.length > 0 && wanted.every((word) => answered.has(word)) ? [i] : [];
    }));
}

const ROOT = "/core/rest/acl";

export const acls = {
    list: (signal: AbortSignal) => call<Acl[]>("GET", ROOT, undefined, { signal }),
    async get(id: string, signal?: AbortSignal): Promise<Acl> {
        return (await persist<Acl[]>("GET", `${ROOT}/${encodeURIComponent(id)}`, undefined, { signal }))[0]!;
    },
    /** Refused with 409 when it is no longer the version in data.version. */
    async save(acl: Acl): Promise<Acl> {
        return (await call<Acl[]>("POST", `${ROOT}/${encodeURIComponent(acl.id)}`, [acl]))[0]!;
    },
};
