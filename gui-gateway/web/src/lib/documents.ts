// The documents' REST resource, through the gateway's proxy.
import { ApiError, persist } from "./api";
import { components } from "./components";

export interface Doc {
    name: string;
    title: string;
    createdAt: string;
    updatedAt: string;
    updatedBy: string;
    bytes: number;
    connections: number;
}

export interface DocPage {
    found: number;
    results: Doc[];
    after: string | null;
}

const ROOT = "/core/rest/collab/documents";
const PAGE = 50;

export const UNTITLED = "Untitled document";
export const TITLE_MOST = 200;

/** A component's body has the component's name for its title; whose it is, when it is one. */
export const bodyOf = (name: string) => /^component\/[^/]+\/(.+)$/s.exec(name)?.[1];

async function docOfComponent(name: string, id: string, signal?: AbortSignal): Promise<Doc> {
    const component = await components.get("DOCUMENT", id, signal);
    const { owner, creationDate, lastUpdateDate } = component.data;
    return {
        name, title: component.name, createdAt: creationDate ?? "", updatedAt: lastUpdateDate ?? "", updatedBy: owner ?? "", bytes: 0, connections: 0,
    };
}

async function renameComponent(name: string, id: string, title: string): Promise<Doc> {
    await components.update({ ...await components.get("DOCUMENT", id), name: title });
    return docOfComponent(name, id);
}

const one = (name: string) => `${ROOT}/${encodeURIComponent(name)}`;

export const documents = {
    /** The first PAGES pages as one. */
    async list(search: string, pages: number, signal: AbortSignal): Promise<DocPage> {
        const all: DocPage = { found: 0, results: [], after: null };
        for (let n = 0; n < pages && (n === 0 || all.after); n++) {
            const query = new URLSearchParams({ search, max: String(PAGE) });
            if (all.after)
                query.set("after", all.after);
            const page = await persist<DocPage>("GET", `${ROOT}?${query}`, undefined, { signal });
            all.found = page.found;
            all.results.push(...page.results);
            all.after = page.after || null;
        }
        return all;
    },

    get(name: string, signal?: AbortSignal): Promise<Doc> {
        const id = bodyOf(name);
        return id ? docOfComponent(name, id, signal) : persist<Doc>("GET", one(name), undefined, { signal });
    },

    /** The key makes a repeated request one document. */
    create: (title: string) =>
        persist<Doc>("POST", ROOT, { title }, { idempotencyKey: crypto.randomUUID?.() ?? String(Math.random()) }),

    rename(name: string, title: string, signal?: AbortSignal): Promise<Doc> {
        const id = bodyOf(name);
        return id ? renameComponent(name, id, title) : persist<Doc>("PUT", one(name), { title }, { signal });
    },

    /** Deleting what is gone succeeds. */
    async remove(name: string): Promise<void> {
        await persist<void>("DELETE", one(name)).catch((error: unknown) => {
            if (!(error instanceof ApiError && error.status === 404))
                throw error;
        });
    },
};
