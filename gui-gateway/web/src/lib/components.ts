// Components: REST, through the gateway's proxy. The shapes are the core's; what the page does not know of an object it sends back
// as it came.
import { ApiError, call, persist } from "./api";
import { categoryOf } from "./categories";

export interface Tag { name: string; value: string[]; readOnly?: boolean }
export interface FileRef { id: string; name?: string; Name?: string; FormatCode?: string; size?: number }
export interface Reference { category: string; id: string }
export interface Attachment { id: string; category?: string; componentIds?: string[]; order?: number }
export interface Answered { id: string; tags?: Tag[]; user: string; date: string }

export interface Component {
    id: string;
    name: string;
    category: string;
    data: { classId: string; ACL?: string; owner?: string; status?: string; creationDate?: string; lastUpdateDate?: string; version?: number };
    tags: Tag[];
    files?: FileRef[]; /* of documents */
    children?: Reference[]; /* of folders: those that one may see */
    attachments?: Attachment[]; /* of tasks */
    assignee?: string;
    answer?: Answered;
    currentVersion?: string;
    versionLabel?: string;
    [other: string]: unknown;
}

/** Words of permissions, as ACLs have them. */
export type Rights = ReadonlySet<string>;

export const ROOT = "/core/rest";
export const pathOf = (category: string) => `${ROOT}/${categoryOf(category).path}`;
export const oneAt = (category: string, id: string) => `${pathOf(category)}/${encodeURIComponent(id)}`;

export const components = {
    async get(category: string, id: string, signal?: AbortSignal): Promise<Component> {
        return (await persist<Component[]>("GET", oneAt(category, id), undefined, { signal }))[0]!;
    },

    /** What the caller may do with it. */
    async rights(category: string, id: string, signal?: AbortSignal): Promise<Rights> {
        const all = await persist<{ permissions: string[] }[]>("GET", `${oneAt(category, id)}/rights`, undefined, { signal });
        return new Set(all[0]?.permissions ?? []);
    },

    /** The id makes a repeated request one component. */
    async create(category: string, component: Partial<Component>): Promise<Component> {
        const id = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
        return (await call<Component[]>("POST", pathOf(category), [{ ...component, id, category }]))[0]!;
    },

    /** All of it is sent; the version it was read with must be the one that is kept. */
    async update(component: Component): Promise<Component> {
        return (await call<Component[]>("POST", oneAt(component.category, component.id), [component]))[0]!;
    },

    remove: (category: string, id: string) => call<void>("DELETE", oneAt(category, id)),
};

/** Where in a body the core found something wrong: JSON pointer -> what. */
export function faultsOf(error: unknown): Map<string, string> {
    const details = error instanceof ApiError ? error.details : null;
    const faults = new Map<string, string>();
    if (Array.isArray(details))
        for (const row of details as { path?: unknown; message?: unknown }[])
            if (typeof row.path === "string" && typeof row.message === "string")
                faults.set(row.path, row.message);
    return faults;
}

/** Dates of components ("2024-03-07 13:59:54.854 +0100") as Date.parse reads them. */
export const isoOf = (date: string | undefined) =>
    (date ?? "").replace(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) ([+-]\d\d)(\d\d)$/, "$1T$2$3:$4");
