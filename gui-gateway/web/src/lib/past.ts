// What was done with a component, and documents as they were: REST, through the gateway's proxy.
import { call, persist } from "./api";
import { categoryOf } from "./categories";
import { type Component, oneAt, ROOT } from "./components";

export interface Fact {
    id: string;
    creationDate: string;
    user: string;
    requestId?: string; /* those of one request belong together */
    technical: boolean;
    action: string;
    description?: string;
    updatedFields?: { name: string; value?: string }[];
}

/** A document as it was. */
export type Version = Component & { currentVersion: string; versionAuthor?: string; versionDate?: string };

export const FACTS_PAGE = 50;
export const LABEL_MOST = 200;

export const facts = {
    /** Newest first. */
    list: (category: string, id: string, start: number, signal: AbortSignal) => persist<Fact[]>("GET",
        `${ROOT}/${categoryOf(category).facts}/${encodeURIComponent(id)}/facts?start=${start}&max=${FACTS_PAGE}`, undefined, { signal }),
};

const all = (id: string) => `${oneAt("DOCUMENT", id)}/versions`;

export const documentVersions = {
    /** Newest first; a document has at most 1000, of which the newest 200 are shown. */
    async list(id: string, signal: AbortSignal): Promise<Version[]> {
        const answer = await persist<{ versions: { Document: Version }[] }>("GET", `${all(id)}?max=200`, undefined, { signal });
        return answer.versions.map((one) => one.Document);
    },

    async get(id: string, version: string, signal: AbortSignal): Promise<Version> {
        return (await persist<Version[]>("GET", `${all(id)}/${encodeURIComponent(version)}`, undefined, { signal }))[0]!;
    },

    keep: async (id: string, label: string) => (await call<Component[]>("POST", all(id), label))[0]!,

    revert: async (id: string, version: string) => (await call<Component[]>("POST", `${all(id)}/${encodeURIComponent(version)}/revert`))[0]!,
};
