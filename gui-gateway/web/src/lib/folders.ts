// What lies in folders, and what virtual folders find: REST, through the gateway's proxy.
import { call, persist } from "./api";
import { type Component, oneAt, type Reference } from "./components";
import type { Name } from "./names";

/** A search of a virtual folder's class, filled with its tags and the caller. */
export interface FolderSearch {
    id: string;
    category?: string;
    displayNames?: Name[];
    request?: { selectClause?: { fields?: string[] }; max?: number };
}

const children = async (method: string, id: string, references: Reference[]) =>
    (await call<Component[]>(method, `${oneAt("FOLDER", id)}/children`, references))[0]!;

export const folders = {
    /** These two answer with the folder. */
    add: (id: string, references: Reference[]) => children("PUT", id, references),
    remove: (id: string, references: Reference[]) => children("DELETE", id, references),

    searches: (id: string, signal: AbortSignal) => persist<FolderSearch[]>("GET", `${oneAt("VIRTUAL_FOLDER", id)}/searches`, undefined, { signal }),
};
