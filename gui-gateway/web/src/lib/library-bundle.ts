// The library's code, fetched when somebody goes there.
import type { ComponentType } from "preact";
import type { Route } from "./router";
import type { Session } from "./session";

export type LibraryRoute = Extract<Route, { page: "library" | "component" | "new" }>;
export type Library = ComponentType<{ session: Session; at: LibraryRoute }>;

let bundle: Promise<Library> | null = null;

/** Fetched once; a failed fetch may be tried again. */
export function loadLibrary(): Promise<Library> {
    bundle ??= import("../components/pages").then((module) => module.LibraryPages).catch((error: unknown) => {
        bundle = null;
        throw error;
    });
    return bundle;
}
