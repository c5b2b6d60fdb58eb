// What the form of a component holds until it is saved.
import { type Component, faultsOf, type FileRef } from "../lib/components";
import type { Attachment, Rights } from "../lib/components";
import type { ComponentClass, TagReference } from "../lib/model";
import { type Values, valuesOf } from "./fields";

export interface Draft { name: string; values: Values; files: FileRef[]; attachments: Attachment[] }

export const draftOf = (component: Component): Draft => ({
    name: component.name ?? "", values: valuesOf(component.tags), files: component.files ?? [], attachments: component.attachments ?? [],
});

const initial = (reference: TagReference): string[] =>
    typeof reference.defaultValue === "string" && !reference.defaultValue.includes("${") ? [reference.defaultValue] : [];

export const emptyDraft = (ofClass: ComponentClass): Draft => ({
    name: "", values: new Map((ofClass.tagReferences ?? []).map((reference) => [reference.tagName, initial(reference)])), files: [], attachments: [],
});

/** Faults of the body's first object (PREFIX: where its tags are), by tag; "" has what belongs to no field. */
export function faultsByTag(error: unknown, sent: { name: string }[], prefix = "/0"): Map<string, string> {
    const faults = new Map<string, string>();
    for (const [path, message] of faultsOf(error)) {
        const at = path.startsWith(`${prefix}/tags/`) ? /^\d+/.exec(path.slice(prefix.length + 6))?.[0] : undefined;
        const named = /(?:tag|reference)s?\/([^/]+)$/.exec(path)?.[1];
        faults.set(at ? sent[Number(at)]?.name ?? "" : named ?? "", message);
    }
    return faults;
}

/** Why the form is for reading alone, as far as rights say; "": it is not. */
export function whyReadOnly(component: Component | null, ofClass: ComponentClass, rights: Rights): string {
    if (!component)
        return rights.has("CREATE") ? "" : `You have no right to create anything of the class “${ofClass.id}”.`;
    return rights.has("UPDATE") ? "" : `You may read it, but not change it: its access list (${component.data.ACL}) does not let you.`;
}
