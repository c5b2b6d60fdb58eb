// The administration's code, fetched when an administrator goes there.
import type { ComponentType } from "preact";
import type { Session } from "./session";

export type Administration = ComponentType<{ session: Session; part: string; id: string | null }>;

let bundle: Promise<Administration> | null = null;

/** Fetched once; a failed fetch may be tried again. */
export function loadAdministration(): Promise<Administration> {
    bundle ??= import("../admin/page").then((module) => module.AdministrationPage).catch((error: unknown) => {
        bundle = null;
        throw error;
    });
    return bundle;
}
