// The versions of a document: REST, through the gateway's proxy.
import { call, callText, persist } from "./api";

export interface Version {
    seq: number;
    at: string;
    label: string;
    author: string;
    contributors: { user: string; changes: number }[];
    bytes: number;
    archived: boolean;
}

export interface VersionPage {
    results: Version[];
    more: boolean;
}

export interface Restored {
    restored: number;
    changed: boolean;
    before?: number;
    seq: number;
}

/** One comparison (docs/history.md); only what the page shows. */
export interface Part {
    op: "equal" | "insert" | "delete" | "format";
    text?: string;
    object?: { name?: string };
    by?: string | null;
    marks?: Record<string, unknown>;
    old?: Record<string, unknown>;
    new?: Record<string, unknown>;
}

export interface Block {
    status: "equal" | "changed" | "added" | "removed";
    count?: number;
    first?: string;
    last?: string;
    type?: string;
    within?: string[];
    oldType?: string;
    attributes?: Value[];
    values?: Record<string, unknown>;
    parts?: Part[];
}

export interface Value {
    path: (string | number)[];
    status: "added" | "removed" | "changed";
    old?: unknown;
    new?: unknown;
    by?: string | null;
    blocks?: Block[];
}

export interface Comparison {
    changed: boolean;
    truncated: boolean;
    totals: { words: { inserted: number; deleted: number } };
    users: { user: string | null; words: number }[];
    roots: { name: string; kind: string; status: string; blocks?: Block[]; values?: Value[] }[];
}

const PAGE = 50;
export const LABEL_MOST = 100;

const all = (name: string) => `/core/rest/collab/documents/${encodeURIComponent(name)}/versions`;
const one = (name: string, seq: number) => `${all(name)}/${seq}`;
const key = () => crypto.randomUUID?.() ?? String(Math.random());

export const versions = {
    /** Those below BEFORE; 0: the newest. */
    list: (name: string, before: number, signal: AbortSignal) =>
        persist<VersionPage>("GET", `${all(name)}?max=${PAGE}${before ? `&before=${before}` : ""}`, undefined, { signal }),

    /** The newest one below SEQ. */
    async previous(name: string, seq: number, signal: AbortSignal): Promise<Version | null> {
        const page = await persist<VersionPage>("GET", `${all(name)}?max=1&before=${seq}`, undefined, { signal });
        return page.results[0] ?? null;
    },

    keep: (name: string, label: string) => call<Version>("POST", all(name), { label }),

    rename: (name: string, seq: number, label: string) => persist<Version>("PUT", one(name, seq), { label }),

    html: (name: string, seq: number, signal: AbortSignal) => callText(`${one(name, seq)}/content?format=html`, { signal }),

    compare: (name: string, seq: number, other: number | "current", signal: AbortSignal) =>
        call<Comparison>("GET", `${one(name, seq)}/compare?with=${other}`, undefined, { signal }),

    /** The key makes a repeated request one change. */
    restore: (name: string, seq: number) => persist<Restored>("POST", `${one(name, seq)}/restore`, undefined, { idempotencyKey: key() }),
};
