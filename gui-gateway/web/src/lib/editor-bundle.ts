// The editor's code, fetched when a document is about to be opened.
import type { ComponentType } from "preact";
import type { Session } from "./session";

export type Editor = ComponentType<{ name: string; session: Session }>;

let bundle: Promise<Editor> | null = null;

/** Fetched once; a failed fetch may be tried again. */
export function loadEditor(): Promise<Editor> {
    bundle ??= import("../editor/page").then((module) => module.EditorPage).catch((error: unknown) => {
        bundle = null;
        throw error;
    });
    return bundle;
}
